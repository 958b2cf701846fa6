"""Plan the pairs of GIER: prepro/gen_greedy_seqs.py with GIER's data, masks and vocabulary, by default for all pairs.

A plan belongs to a pair, not to its requests, so every data mode can train on the same set of plans.

  python prepro/gen_greedy_seqs_GIER.py               # set 1: all operators, inpainting and white background included
  python prepro/gen_greedy_seqs_GIER.py --data_mode global+shapeAlign --action_id 4
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("gen_greedy_seqs.py"), __doc__, dataset="GIER", session=3, data_mode="full",
                masks=True)
