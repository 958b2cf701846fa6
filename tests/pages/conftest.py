"""Fixtures that the tests of pages share: results to show."""
import numpy as np
import pytest


@pytest.fixture()
def make(photo):
    """Return `make(index, **changes)`: a result with one step for each way in which a page shows parameters."""
    def result(index=0, **changes):
        before, after = photo(seed=index), photo(seed=index + 1)
        steps = [{"op": "brightness", "params": [0.5], "image": after},
                 {"op": "tint", "params": (2.0, 2, 2, 2, 0, 0, 0, 0), "image": after},
                 {"op": "hue", "params": [1.0] * 24, "image": after},
                 {"op": "color_bg", "params": [], "image": after, "mask": np.eye(48, 64)},
                 {"op": "dream", "params": "strongly", "image": after},
                 {"op": "rotate", "params": [1.5, 2.5], "image": after}]
        return {"name": f"{index}.jpg", "request": f"request {index}", "input": before, "steps": steps,
                "output": after, "target": None, "words": None, "attention": None,
                "metrics": {"output L1": 0.0770, "FID": None}} | changes
    return result


@pytest.fixture()
def bare(make):
    """Return `bare(index, **changes)`: a result without steps."""
    return lambda index=0, **changes: make(index, **{"steps": []} | changes)
