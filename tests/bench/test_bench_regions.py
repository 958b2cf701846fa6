"""bench/regions.py runs on a tiny photo."""


def test_the_rows_are_measured(project, run_script):
    result = run_script("bench/regions.py", "--quick")
    assert result.code == 0, result.err
    assert "detector and first region" in result.out
    assert "further region" in result.out
