"""Compile the kernels of the operators, so that the first edit need not; the machine code stays beside the sources.

  python misc/compile_kernels.py     # `make` runs this command after the installation
"""
import _init_paths  # noqa: F401
import numpy as np
from tqdm import tqdm

from core.engine.cli import run
from core.engine.options import Parser
from core.operators import TABLE, Mask, Plan, Step, execute_samples
from core.operators.kernels.table import KERNELS


def main():
    Parser(__doc__).parse_args()
    mask = Mask.from_array(np.eye(8))
    for name in tqdm(KERNELS, desc="kernels", unit="kernel"):
        row = TABLE[name]
        step = Step.make(name, [one.low + 0.4 * (one.high - one.low) for one in row.params],
                         None if row.resizes else mask)
        for kind in (np.uint8, np.uint16, np.float32):
            execute_samples(Plan((step,)), np.zeros((8, 8, 3), kind))
    execute_samples(Plan((Step.make("highlights", 0.5),)), np.zeros((3, 400, 3), np.uint8))   # with a reduced picture
    print(f"{len(KERNELS)} kernels are compiled")


if __name__ == "__main__":
    run(main)
