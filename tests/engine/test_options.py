"""Flags: what is out of range is refused by name, and trials give way to the command line."""
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import trials
from core.engine.options import Parser, number, parse
from core.engine.trials import get_trial, read_trials
from core.files import UserError


@pytest.fixture()
def trial_file(tmp_path, monkeypatch):
    """Return `write(text)`: the trials of the experiment "toy"."""
    monkeypatch.setattr(trials, "FOLDER", tmp_path)
    return (tmp_path / "toy.toml").write_text


def parsed(*flags):
    return parse(Parser("about").add_data().add_training(), "toy", flags)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 50))
def test_a_number_is_taken_exactly_within_its_bounds(value, low, width):
    parser = Parser("about")
    parser.add_argument("--n", type=number(int, low, low + width))
    if low <= value <= low + width:
        assert parser.parse_args([f"--n={value}"]).n == value
    else:
        with pytest.raises(SystemExit):
            parser.parse_args([f"--n={value}"])


@pytest.mark.parametrize(("text", "words"), [
    ("nan", "nan is out of range"), ("inf", "inf is out of range"), ("1e999", "out of range"),
    ("-1", "-1 is out of range; give a number at least 0"), ("much", "argument --rate: invalid float value: 'much'")])
def test_floats_that_are_none(text, words, capsys):
    parser = Parser("about")
    parser.add_argument("--rate", type=number(float, 0))
    with pytest.raises(SystemExit):
        parser.parse_args([f"--rate={text}"])
    assert words in capsys.readouterr().err
    assert math.isfinite(parser.parse_args(["--rate=1e-3"]).rate)


def test_the_command_line_wins_over_the_trial_and_the_trial_over_the_default(trial_file):
    trial_file('[4]\nabout = "small"\nflags = { batch_size = 3, learning_rate = 0.5 }')
    options = parsed("--trial", "4", "--batch_size", "9")
    assert (options.batch_size, options.learning_rate, options.num_iters) == (9, 0.5, 10000)
    assert (parsed("--trial", "5").batch_size, options.experiment) == (64, "toy")


def test_a_trial_is_checked_as_the_command_line_is(trial_file, capsys):
    trial_file('[4]\nflags = { batch_size = 0 }\n[5]\nflags = { batchsize = 3 }')
    with pytest.raises(SystemExit):
        parsed("--trial", "4")
    assert "argument --batch_size: 0 is out of range" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"toy\.toml, trial 5: no flag is called 'batchsize'"):
        parsed("--trial", "5")


@pytest.mark.parametrize(("text", "words"), [
    ("[4]\nflags = 1 2", "line 2"), ('[four]\nabout = "x"', "'four'"), ("[4]\nflag = 1", "'flag'")])
def test_a_malformed_trials_file_is_named(trial_file, text, words):
    trial_file(text)
    with pytest.raises(UserError, match=rf"toy\.toml: .*{words}"):
        parsed("--trial", "4")


def test_flags_are_not_abbreviated(trial_file):
    trial_file("")
    with pytest.raises(SystemExit):
        parsed("--batch", "4")


def test_the_notebooks_trials_carry_its_figures():
    assert get_trial("seq2seqL1", 1).notebook["output L1"] == 0.0770
    assert get_trial("seq2seqL1", 23).flags["use_attention"] == 0
    assert get_trial("seq2seqL1", 4711) == trials.Trial(4711)
    for trial in read_trials("seq2seqL1").values():
        assert set(trial.notebook) <= {"input L1", "output L1", "input SSIM", "output SSIM", "input FID", "output FID",
                                       "avg var"}
        assert trial.about
