"""bench/removal.py runs on a tiny photo."""


def test_each_inpainter_is_measured(run_script):
    result = run_script("bench/removal.py", "--quick")
    assert result.code == 0, result.err
    assert "patch" in result.out and "telea" in result.out and "too small to measure" in result.out
