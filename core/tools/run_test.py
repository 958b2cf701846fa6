"""Run core/test_pipeline.py under the notebook's name for it.

  python core/tools/run_test.py --trial 2
"""
import runpy
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1]
sys.path[0] = str(CORE)   # as if that script had been started
runpy.run_path(str(CORE / "test_pipeline.py"), run_name=__name__)
