"""Exit codes and messages of scripts that succeed, fail, or lose their output."""
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.engine.cli import run
from core.files import UserError


def leaving(error, capsys):
    def main():
        print("was said before")
        raise error
    with pytest.raises(SystemExit) as caught:
        run(main)
    printed = capsys.readouterr()
    assert printed.out == "was said before\n"
    assert printed.err.count("\n") == 1
    return caught.value.code, printed.err


@pytest.mark.parametrize(("error", "code", "words"), [
    (UserError("a.json, line 3: malformed"), 2, "error: a.json, line 3: malformed\n"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (OSError(errno.ENOSPC, "No space left on device", "run/last.pt"), 2, "error: run/last.pt: the disk is full: free"),
    (OSError(errno.ENOSPC, "No space left on device"), 2, "error: the disk is full"),
    (PermissionError(errno.EACCES, "Permission denied", "x"), 2, "error: x: permission denied"),
    (OSError(errno.ENAMETOOLONG, "File name too long", "x"), 2, "error: x: the name is too long: choose a shorter one"),
    (OSError(errno.EFBIG, "File too large", "run/last.pt"), 2, "error: run/last.pt: the file would be larger than"),
    (OSError(errno.EROFS, "Read-only file system", "x"), 2, "error: x: the file system is read-only")])
def test_a_mistake_or_a_full_disk_is_one_sentence(error, code, words, capsys):
    found, printed = leaving(error, capsys)
    assert found == code
    assert printed.startswith(words)


def test_a_defect_of_the_program_keeps_its_traceback():
    def main():
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    with pytest.raises(OSError, match="Bad file"):
        run(main)


def test_a_file_name_that_is_no_text_is_printed_with_escapes(capsys):
    run(lambda: print("photo: caf\udce9.jpg"))
    assert capsys.readouterr().out == "photo: caf\\udce9.jpg\n"


def test_nothing_is_said_about_success(capsys):
    run(lambda: None)
    assert capsys.readouterr().err == ""


# The script runs in a new process, because its output must be a real pipe or disk.

def start(body, stdout, stderr=subprocess.PIPE):
    """Start a script whose `main` has this body."""
    script = (f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\nfrom core.engine.cli import run\n"
              f"from core.files import UserError\ndef main():\n    {body}\nrun(main)")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen([sys.executable, "-c", script], stdout=stdout, stderr=stderr, text=True, env=buffered)


@pytest.mark.parametrize(("body", "code", "words"), [
    ("print('said')", 141, ""), ("[print(number) for number in range(100_000)]", 141, ""),
    ("print('said', file=sys.stderr)", 0, "said\n"),
    ("print('said'); raise UserError('a.json: no such file')", 2, "error: a.json: no such file\n"),
    ("import argparse; argparse.ArgumentParser(description='said').parse_args(['--help'])", 141, "")])
def test_a_script_ends_quietly_when_the_reader_of_its_output_has_gone(body, code, words):
    reading, writing = os.pipe()
    os.close(reading)   # like the reader in `| true`
    process = start(body, writing)
    os.close(writing)
    assert process.communicate()[1] == words
    assert process.returncode == code


def test_both_outputs_into_a_pipe_without_a_reader():
    reading, writing = os.pipe()
    os.close(reading)
    process = start("print('said'); print('said', file=sys.stderr)", writing, subprocess.STDOUT)
    os.close(writing)
    assert process.wait() == 141


def test_a_broken_pipe_other_than_the_output_keeps_its_traceback():
    process = start("raise BrokenPipeError(32, 'Broken pipe')", subprocess.PIPE)
    assert "BrokenPipeError" in process.communicate()[1]
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
@pytest.mark.parametrize(("body", "words"), [("print('said')", "error: the disk is full"),
                                             ("print('said'); raise UserError('a: gone')", "error: a: gone")])
def test_output_to_a_full_disk(body, words):
    with open("/dev/full", "w") as full:
        process = start(body, full)
    printed = process.communicate()[1]
    assert (process.returncode, printed.count("\n")) == (2, 1)
    assert printed.startswith(words)
