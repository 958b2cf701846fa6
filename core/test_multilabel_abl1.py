"""Test a multi-label classifier without visual feature; see core/test_multilabel.py.

  python core/test_multilabel_abl1.py --session 3 --id 2
  python core/test_multilabel_abl1.py --session 3 --trial 101 --phase val
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("test_multilabel.py"), __doc__, experiment="multilabel_abl1")
