"""Multi-label classification without a visual feature: core/train_multilabel.py on the words alone.

  python core/train_multilabel_abl1.py --session 3 --id 2       # on GIER; its images are not needed
  python core/train_multilabel_abl1.py --session 3 --trial 101  # on a CPU
  python core/test_multilabel_abl1.py --session 3 --id 2
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("train_multilabel.py"), __doc__, experiment="multilabel_abl1",
                image_blind=True)
