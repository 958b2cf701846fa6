"""Run core/plan_on_discriminator.py under the notebook's name for it. Nothing else lives in this folder.

  python core/utils/beam_search.py --trial 7
"""
import runpy
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1]
sys.path[0] = str(CORE)   # as if that script had been started
runpy.run_path(str(CORE / "plan_on_discriminator.py"), run_name=__name__)
