"""Train every experiment for two iterations, one after the other, in one of several processes.

This file is not a test: tests/test_torchrun.py lets torchrun start it twice, in a tiny project.
"""
import runpy
import sys

from tiny_project import ROOT, TINY

CRITIC = ("--ndf", "4", "--cond_nc", "4", "--num_D", "1")
TINY_CRITIC = ("--dataset", "synth", "--session", "1", "--hidden_size", "16", "--batch_size", "4", "--cond_nc", "4")
GENERATOR = (*TINY_CRITIC, "--visualize", "0", "--ngf", "4", "--ndf", "4", "--num_D", "1")
REGIONS = ("--dataset", "RegionReq", "--hidden_size", "8", "--batch_size", "4")   # the test writes this set
COMMANDS = {
    "seq2seqL1": TINY,
    "actor_fs": TINY,
    "seq2seqGAN": (*TINY, *CRITIC),
    "seq2seqAdaptGAN": (*TINY, *CRITIC),
    "pix2pixHD": (*GENERATOR, "--netG", "resnet_1blocks", "--triple"),
    "bilinearGAN": (*GENERATOR, "--netG", "resnet_1blocks", "--rank", "4"),
    "HaiWang": (*GENERATOR, "--model", "FilterBank", "--num_G", "2"),
    "self_discriminator": TINY_CRITIC,
    "self_discriminator1": TINY_CRITIC,
    "multilabel": TINY,
    "multilabel_abl1": TINY,
    "ground": REGIONS,
    "op_ground": REGIONS,
    "pipeline": TINY,
}


def main():
    for experiment, flags in COMMANDS.items():
        script = ROOT / "core" / f"train_{experiment}.py"
        sys.argv = [str(script), *flags, "--trial", "77", "--num_iters", "2", "--checkpoint_every", "2"]
        sys.path[0] = str(script.parent)   # as if Python had started the script; `_init_paths` replaces it
        sys.modules.pop("_init_paths", None)
        runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
