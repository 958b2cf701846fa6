"""Test a seq2seq + L1 planner on GIER, as core/test_seq2seqL1.py does on FiveK.

  python core/test_GIER_seq2seqL1.py --data_mode global+shapeAlign --trial 6
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("test_seq2seqL1.py"), __doc__, dataset="GIER", session=3)
