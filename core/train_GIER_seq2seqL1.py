"""Seq2seq + L1 on GIER: core/train_seq2seqL1.py with the data, vocabulary and numbered trials of GIER.

  python prepro/gen_greedy_seqs_GIER.py                       # first: plan the training pairs
  python core/train_GIER_seq2seqL1.py --data_mode global+shapeAlign --trial 6
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("train_seq2seqL1.py"), __doc__, dataset="GIER", session=3)
