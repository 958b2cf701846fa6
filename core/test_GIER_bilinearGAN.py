"""Test a bilinear GAN on GIER, as core/test_bilinearGAN.py does on FiveK.

  python core/test_GIER_bilinearGAN.py --data_mode global+shapeAlign --trial 8
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("test_bilinearGAN.py"), __doc__, dataset="GIER", session=3)
