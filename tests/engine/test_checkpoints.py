"""Checkpoints: a saved state loads again, and any other file is refused."""
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.engine.checkpoints import load_checkpoint, save_checkpoint
from core.files import UserError

STATE = {"experiment": "toy", "iteration": 7, "best": None, "options": {"trial": 1, "flags": [True, 0.5, "x"]},
         "model": {"weights": {"w": torch.arange(6.0).reshape(2, 3)}}}
FIXTURE_IS_SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Evil:
    """A pickle that would run a command when it is read."""

    def __reduce__(self):
        return print, ("code was run",)


def test_a_saved_state_loads_again(tmp_path):
    save_checkpoint(tmp_path / "deep" / "a.pt", STATE)
    state = load_checkpoint(tmp_path / "deep" / "a.pt", "toy")
    assert {name: state[name] for name in STATE if name != "model"} == {
        name: STATE[name] for name in STATE if name != "model"}
    assert torch.equal(state["model"]["weights"]["w"], STATE["model"]["weights"]["w"])


def test_another_experiment_is_named(tmp_path):
    save_checkpoint(tmp_path / "a.pt", STATE)
    with pytest.raises(UserError, match=r"a\.pt: a checkpoint of experiment 'toy', not 'gan'"):
        load_checkpoint(tmp_path / "a.pt", "gan")


def test_a_failed_save_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.pt"
    save_checkpoint(path, STATE)
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, STATE | {"iteration": lambda: None})
    assert load_checkpoint(path)["iteration"] == 7
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"format": "ldie-checkpoint", "version": 1, "experiment": Evil()}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "a.pt")
    assert capsys.readouterr().out == ""


@FIXTURE_IS_SHARED
@given(st.binary(max_size=300))
@example(b"")
@example(b"\x80\x02}q\x00.")
@example(b"PK\x03\x04")
@example(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")   # the first bytes of a checkpoint of old PyTorch
@example(b"ustar".rjust(262, b"\0").ljust(512, b"\0"))
def test_any_other_file_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.pt: "):
        load_checkpoint(tmp_path / "a.pt")


@FIXTURE_IS_SHARED
@given(st.floats(0, 1, exclude_max=True))
def test_any_beginning_of_a_checkpoint_is_refused_in_a_sentence(tmp_path, share):
    save_checkpoint(tmp_path / "whole.pt", STATE)
    whole = (tmp_path / "whole.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[:int(share * len(whole))])
    with pytest.raises(UserError, match=r"a\.pt: not a checkpoint, or damaged"):
        load_checkpoint(tmp_path / "a.pt")
