"""Run data/GIER/GIER.py under the notebook's name for it.

  python data/IER2/IER.py --annotations data/IER2/IER2.json
"""
import runpy
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "data/GIER/GIER.py"
sys.path[0] = str(TARGET.parent)   # as if that script had been started
runpy.run_path(str(TARGET), run_name=__name__)
