"""misc/shrink_checkpoint.py: a shrunk checkpoint gives the plans of the original."""
from pathlib import Path

import pytest
import torch
from tiny_project import RUN, copy_of, tiny_project

from core.methods.gate import Gate
from core.methods.planner import SHIPPED, PlannerMethod
from core.metrics.attributes import look

SCRIPT = "misc/shrink_checkpoint.py"


def test_a_shrunk_checkpoint_gives_the_plans_of_the_original(tmp_path_factory, tmp_path, monkeypatch, run_script):
    monkeypatch.chdir(copy_of(tiny_project(tmp_path_factory), tmp_path))
    result = run_script(SCRIPT, f"{RUN}/best.pt", "small.pt")
    assert result.code == 0, result.err
    assert (tmp_path / "project/small.pt").stat().st_size < (tmp_path / "project" / RUN / "best.pt").stat().st_size / 3
    image = torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(0))
    large, small = (PlannerMethod.of(path)(image, "make it brighter") for path in (RUN, "small.pt"))
    assert [step.op for step in large.plan] == [step.op for step in small.plan]
    assert torch.allclose(large.image, small.image, atol=0.01)
    assert run_script(SCRIPT, "AMT/none.pt", "small.pt").code == 2
    whole = Path(f"{RUN}/best.pt").read_bytes()
    for name in (f"{RUN}/best.pt", f"./{RUN}/best.pt"):   # else it would lose its optimizer
        assert "is the checkpoint itself" in run_script(SCRIPT, f"{RUN}/best.pt", name).err
    assert Path(f"{RUN}/best.pt").read_bytes() == whole


@pytest.mark.parametrize(("request_text", "attribute", "sign"), [
    ("make it brighter", "bright", 1), ("darken it", "bright", -1), ("more contrast", "contrast", 1),
    ("make it less colorful", "sat", -1), ("increase the saturation", "sat", 1), ("warmer please", "warm", 1),
    ("make it cooler", "warm", -1), ("sharpen it", "sharp", 1), ("blur it", "sharp", -1)])
def test_the_shipped_planner_obeys_behind_the_gate(request_text, attribute, sign):
    from core.datasets import fit_short_edge, to_tensor
    from core.synthesis.photos import bundled
    chelsea = next(photo for photo in bundled() if photo.phase == "test")   # a photo outside the training set
    image = to_tensor(fit_short_edge(chelsea.load(), 200))
    edited = Gate(PlannerMethod.of(SHIPPED))(image, request_text)
    before, after = (look(picture[None])[attribute].item() for picture in (image, edited.image))
    assert sign * (after - before) > 0
