"""Test a model of Wang et al. 2018 on GIER, as core/test_HaiWang.py does on FiveK.

  python core/test_GIER_HaiWang.py --data_mode global+shapeAlign --trial 3
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("test_HaiWang.py"), __doc__, dataset="GIER", session=3)
