"""Test the whole pipeline: BLEU of the operators, errors of their parameters, overlap of the masks, L1 of the results.

Each local step gets its mask from --grounder: "segments" chooses among the true segments of the set by LDIE's rules,
"finder" looks for the place in the photo. The table also has the true masks, methods that learn nothing, and the
notebook's figures. All pictures are thumbnails. Writes test/metrics.json, test/images.jsonl and test/web/index.html.

  python core/test_pipeline.py --load_checkpoint_path output/synth_pipeline_trial_2/best.pt --trial 2
  python core/test_pipeline.py --dataset RegionReq --session 3 --trial 101 --phase val
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.pipeline import add_pipeline_test, measure_pipeline
from core.evaluation.run_table import run_under_seeds


def main():
    run_under_seeds(parse(arguments(), "pipeline"), measure_pipeline)


def arguments():
    return add_pipeline_test(Parser(__doc__).add_data()).add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
