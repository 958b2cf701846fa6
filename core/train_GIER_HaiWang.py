"""Wang et al. 2018 on GIER: core/train_HaiWang.py with the data, vocabulary and numbered trials of GIER.

  python core/train_GIER_HaiWang.py --model Pix2Pix --which_model_netG resnet_7blocks --trial 1
  python core/train_GIER_HaiWang.py --data_mode global+shapeAlign --trial 3
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("train_HaiWang.py"), __doc__, dataset="GIER", session=3)
