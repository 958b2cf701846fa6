"""Run data/GIER/GIER.py, which checks all samples, under the notebook's name for that test.

  python core/datasets_/IERdataset.py --check
"""
import runpy
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "data/GIER/GIER.py"
sys.path[0] = str(TARGET.parent)   # as if that script had been started
runpy.run_path(str(TARGET), run_name=__name__)
