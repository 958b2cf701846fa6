"""Run core/show_samples.py under the notebook's name for it.

  python core/datasets_/eddatasets.py --dataset synth --session 0
"""
import runpy
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "core/show_samples.py"
sys.path[0] = str(TARGET.parent)   # as if that script had been started
runpy.run_path(str(TARGET), run_name=__name__)
