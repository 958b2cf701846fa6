"""misc/compare_runs.py compares two runs: real differences, differences by chance, and runs that it refuses."""
import json

import numpy as np
import pytest

COMPARE = "misc/compare_runs.py"


@pytest.fixture()
def tested(tmp_path):
    """Return `tested(name, **changes)`: the folder of a run with 40 rows of 20 photos; `move` shifts its metrics."""
    def make(name, move=0.0, noise=0.0, drop=0, test="test", **changes):
        rng = np.random.default_rng(0)
        own = np.random.default_rng(1)
        rows = []
        for pair in range(40):
            level = rng.uniform(0.05, 0.15)
            distance = level / 2 + move + noise * own.normal()
            rows.append({"name": f"{pair // 2:02d}.jpg>{pair}.jpg", "request": "brighter", "size": [40, 60],
                         "input L1": level, "input SSIM": 0.8, "output L1": distance, "output SSIM": 0.9 - move,
                         "variance": 0.01 + move} | changes)
        folder = tmp_path / name / test
        folder.mkdir(parents=True)
        (folder / "images.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[drop:]))
        (folder / "metrics.json").write_text(json.dumps({"run": name, "metrics": {"output FID": 5.0 + move}}))
        return tmp_path / name
    return make


def test_a_real_difference_is_reported_with_the_better_run(tested, run_script, tmp_path):
    result = run_script(COMPARE, tested("one"), tested("two", move=0.01, noise=0.002), "--json", tmp_path / "c.json")
    assert result.code == 0, result.err
    lines = {line.split(":")[0]: line for line in result.out.splitlines()}
    assert "A is better, and the difference is real" in lines["output L1"]
    assert "A is better" in lines["output SSIM"]   # a larger SSIM is better
    assert lines["variance"].endswith("the difference is real")
    assert "compared on 40 pairs of 20 photos" in result.out
    assert "A 5.0, B 5.01" in lines["output FID"]
    saved = json.loads((tmp_path / "c.json").read_text())
    row, = (row for row in saved["metrics"] if row["metric"] == "output L1")
    low, high = row["interval"]
    assert 0 < low < row["difference"] == pytest.approx(0.01, abs=0.002)
    assert row["difference"] < high
    assert row["B"] - row["A"] == pytest.approx(row["difference"])


def test_b_is_better_if_the_runs_are_swapped(tested, run_script):
    assert "B is better, and" in run_script(COMPARE, tested("two", move=0.01), tested("one")).out


def test_noise_and_equal_runs_give_no_real_difference(tested, run_script):
    one, noisy, same = tested("one"), tested("noisy", noise=0.005), tested("same")
    for other in (noisy, same):
        lines = run_script(COMPARE, one, other).out.splitlines()
        line, = (line for line in lines if line.startswith("output L1"))
        assert line.endswith("no real difference: the interval contains 0")


def test_pairing_finds_a_difference_smaller_than_the_spread_over_photos(tested, run_script):
    """The L1 differs by .1 between photos, and by .001 between the two methods on one photo."""
    assert "B - A +0.0010, 95% [+0.0010, +0.0010]: A is better" in run_script(
        COMPARE, tested("one"), tested("two", move=0.001)).out


def test_pairs_that_are_not_shared_are_counted_and_listed(tested, run_script):
    result = run_script(COMPARE, tested("one"), tested("few", drop=30))
    assert result.code == 0, result.err
    assert "30 of 40 pairs were tested in " in result.out
    assert "00.jpg>0.jpg, 00.jpg>1.jpg" in result.out
    assert "25 more" in result.out
    assert "compared on 10 pairs of 5 photos" in result.out


@pytest.mark.parametrize(("changes", "words"), [
    ({"request": "darker"}, "40 of 40 pairs were tested in"),
    ({"size": [20, 30]}, "40 pairs were tested at another size"),
    ({"input L1": 0.3}, "at another size or against another target")])
def test_runs_without_a_common_pair_are_refused(changes, words, tested, run_script, tmp_path):
    result = run_script(COMPARE, tested("one"), tested("other", **changes), "--json", tmp_path / "c.json")
    assert result.code == 2
    assert words in result.err
    assert "--short_edge" in result.err
    assert not (tmp_path / "c.json").exists()


def test_a_test_folder_may_be_given_and_must_be_given_if_a_run_has_several(tested, run_script):
    one, _ = tested("one"), tested("two", test="test_val")
    tested("two", test="test")
    refused = run_script(COMPARE, one, one.parent / "two")
    assert refused.code == 2
    assert "has several tests: give one of " in refused.err
    assert run_script(COMPARE, one, one.parent / "two/test_val").code == 0


@pytest.mark.parametrize(("content", "words"), [
    (None, "holds no images.jsonl"), ("{\n", "line 1: malformed JSON"), ('{"request": "x"}\n', "line 1: field 'name'"),
    ("", "40 of 40 pairs were tested in")])
def test_a_folder_without_a_valid_test_is_refused_by_name(content, words, tested, run_script, tmp_path):
    one, other = tested("one"), tested("other")
    path = other / "test/images.jsonl"
    path.unlink() if content is None else path.write_text(content)
    result = run_script(COMPARE, one, other)
    assert (result.code, words in result.err) == (2, True), result.err
    assert str(other) in result.err
