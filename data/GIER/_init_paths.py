"""Put the repository root, in place of this folder, first on the import path; set up CPU threads (core.threads)."""
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
import core.threads  # noqa: E402, F401  (before PyTorch is imported)
