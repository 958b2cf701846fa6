"""Shrink a checkpoint so that it can ship: keep only the network, in half precision, without optimizer and options.

  python misc/shrink_checkpoint.py output/synth_seq2seqL1_trial_103/best.pt data/planner/small.pt
"""
import _init_paths  # noqa: F401

from core.engine.checkpoints import load_checkpoint, require, save_checkpoint, tested_network
from core.engine.cli import run
from core.engine.options import Parser
from core.files import UserError, identity


def main():
    options = arguments().parse_args()
    if identity(options.small) == identity(options.checkpoint):
        raise UserError(f"{options.small}: is the checkpoint itself, which stays as it is; give another name")
    state = load_checkpoint(options.checkpoint)
    if "weights" not in state.get("model", {}):
        raise UserError(f"{options.checkpoint}: holds no network; give a checkpoint of a train script")
    require(state, options.checkpoint, "iteration", "date")
    network = tested_network(state)
    weights = {name: value.half() if value.is_floating_point() else value
               for name, value in network["weights"].items()}
    kept = {name: state[name] for name in ("experiment", "iteration", "date")}
    save_checkpoint(options.small, kept | {"model": network | {"weights": weights}})
    print(f"{options.small}: the network of {options.checkpoint} after {kept['iteration']} iterations")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("checkpoint", help="checkpoint of a run, such as its best.pt; this file is not changed")
    parser.add_argument("small", help="file to write")
    return parser


if __name__ == "__main__":
    run(main)
