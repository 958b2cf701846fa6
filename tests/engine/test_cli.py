"""How scripts end."""
import errno
import os

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
