"""Bilinear GAN on GIER: core/train_bilinearGAN.py with the data, vocabulary and numbered trials of GIER.

  python core/train_GIER_bilinearGAN.py --fusing_method lowrank_BP --data_mode global+shapeAlign --trial 8
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("train_bilinearGAN.py"), __doc__, dataset="GIER", session=3)
