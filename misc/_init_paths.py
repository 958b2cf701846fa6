"""Put the repository root, in place of this folder, first on the import path."""
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])
