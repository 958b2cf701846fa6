"""Flags: a value out of range is refused with the flag's name, and the command line overrides a trial."""
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import trials
from core.engine.options import Parser, number, parse
from core.engine.trials import get_trial, read_trials
from core.files import UserError
from core.training.adversarial import add_gan


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
def test_a_float_that_is_malformed_or_out_of_range_is_refused(text, words, capsys):
    parser = Parser("about")
    parser.add_argument("--rate", type=number(float, 0))
    with pytest.raises(SystemExit):
        parser.parse_args([f"--rate={text}"])
    assert words in capsys.readouterr().err
    assert math.isfinite(parser.parse_args(["--rate=1e-3"]).rate)


def test_a_whole_number_of_hundreds_of_digits_is_out_of_range(capsys):
    parser = Parser("about")
    parser.add_argument("--n", type=number(int, 1))
    with pytest.raises(SystemExit):
        parser.parse_args([f"--n={'9' * 400}"])
    assert "is out of range; give a number at least 1" in capsys.readouterr().err


def test_the_command_line_wins_over_the_trial_and_the_trial_over_the_default(trial_file):
    trial_file('[4]\nabout = "small"\nflags = { batch_size = 3, learning_rate = 0.5 }')
    options = parsed("--trial", "4", "--batch_size", "9")
    assert (options.batch_size, options.learning_rate, options.num_iters) == (9, 0.5, 10000)
    assert (parsed("--trial", "5").batch_size, options.experiment) == (64, "toy")


@pytest.mark.parametrize(("flags", "words"), [
    ("batch_size = 0", "argument --batch_size: 0 is out of range; give a number at least 1"),
    ("batchsize = 3", "no flag of a trial is called 'batchsize'"),
    ("trial = 5", "no flag of a trial is called 'trial'"),
    ('dataset = "GIER"', "no flag of a trial is called 'dataset'"), ("help = true", "is called 'help'"),
    ('schedule = "steep"', "argument --schedule: invalid choice: 'steep'"),
    ("visualize = 2", "argument --visualize: '2' is neither 0 nor 1"),
    ('batch_size = "many"', "argument --batch_size: invalid int value: 'many'"),
    ("batch_size = 1.5", "argument --batch_size: invalid int value: '1.5'"),
    ("batch_size = true", "batch_size needs a value, not true or false"), ("language = true", "language needs a value"),
    ("restart = 1", "restart must be true or false"), ('restart = "yes"', "restart must be true or false"),
    ("language = []", "language must be text or a finite number"), ("language = { a = 1 }", "language must be text"),
    ("language = 1979-05-27", "language must be text"), ("language = nan", "language must be text or a finite number"),
    (f"batch_size = 0x{'f' * 5000}", "batch_size must be text or a finite number"),
    (r'language = "\u0000"', "language must be text"),
    ("learning_rate = inf", "learning_rate must be text or a finite number"),
    ("learning_rate = -1", "argument --learning_rate: -1 is out of range")])
def test_a_trial_is_checked_as_the_command_line_is(flags, words, trial_file):
    trial_file(f"[3]\n[4]\nflags = {{ {flags} }}")
    with pytest.raises(UserError) as caught:
        parsed("--trial", "4")
    assert "toy.toml, trial 4: " in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert parsed("--trial", "3").batch_size == 64   # the other trials of the file can be run


def test_a_trial_gives_switches_and_values_of_every_kind(trial_file):
    trial_file('[4]\nflags = { restart = true, language = "words", batch_size = 3, learning_rate = 1, gpu_ids = -1 }\n'
               '[5]\nflags = { restart = false, gan = "hinge" }')
    parser = Parser("about").add_data().add_training().add_machine()
    options = parse(parser, "toy", ("--trial", "4"))
    assert (options.restart, options.language, options.batch_size) == (True, "words", 3)
    assert (options.learning_rate, options.gpu_ids) == (1.0, "-1")
    options = parse(add_gan(Parser("about").add_data().add_training()), "toy", ("--trial", "5", "--no_lsgan"))
    assert (options.restart, options.gan) == (False, "vanilla")


@pytest.mark.parametrize(("text", "words"), [
    ("[4]\nflags = 1 2", "malformed TOML .*line 2"), ("[4]\n[4]", "malformed TOML"),
    ("a = " + "[" * 100_000, "malformed TOML .brackets nested thousands deep"),
    ("x = " + "9" * 5000, "malformed TOML"), ("\0", "malformed TOML"), ('[four]\nabout = "x"', "'four' is not a trial"),
    ("4 = 1", "'4' is not a trial"), ("[[4]]", "'4' is not a trial"), ("[04]", "'04' is not a trial"),
    ("[-4]", "'-4' is not a trial"),
    ("[4]\nflag = 1", "trial 4: unknown field 'flag'; known are about, flags"),
    *((f"[4]\nflags = {value}", "trial 4: flags must be a table")
      for value in ("nan", "true", "[]", '""', "1979-05-27", "-1", "[{}]")),
    ("[4]\nabout = 3", "trial 4: about must be text"), ("[4]\ntested_on = []", "trial 4: tested_on must be text"),
    ("[4]\nnotebook = 1", "trial 4: notebook must be a table"),
    *((f"[4]\nnotebook = {{ 'output L1' = {value} }}", "trial 4: notebook.output L1 must be a finite number")
      for value in ("'0.1'", "true", "nan", "-inf", "[1]", "0x" + "f" * 500))], ids=lambda value: value[:40])
def test_a_malformed_trials_file_is_named(trial_file, text, words):
    trial_file(text)
    with pytest.raises(UserError, match=rf"toy\.toml(: |, ).*{words}"):
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
