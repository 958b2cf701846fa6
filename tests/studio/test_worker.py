"""Jobs in a worker process: results and errors are returned, and only a job that exceeds its limits is ended."""
import os
import time

import pytest

from core.files import UserError

pytest.importorskip("pebble", reason="needs pebble: pip install -r requirements-web.txt")


@pytest.fixture(scope="module")
def worker():
    from core.studio.worker import Worker
    worker = Worker(seconds=1, memory=2**30)
    yield worker
    worker.close()


def test_a_job_runs_in_the_worker_and_its_errors_are_raised_here(worker):
    assert worker(os.getpid) != os.getpid()
    assert worker(divmod, 7, 2) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        worker(int, "x")


@pytest.mark.parametrize(("job", "reason"), [
    ((time.sleep, 600), "more than 1 s and was ended"), ((bytearray, 2**31), "more memory"),
    ((os._exit, 1), "more memory")])
def test_a_job_beyond_its_limits_is_ended_and_the_next_one_works(worker, job, reason):
    with pytest.raises(UserError, match=reason):
        worker(*job)
    assert worker(abs, -1) == 1
