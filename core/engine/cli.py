"""How every script starts and ends: one clear sentence for a user's mistake, never a traceback."""
import contextlib
import errno
import io
import os
import select
import sys

from core.files import UserError

READER_GONE = 141   # what a shell reports of a program that SIGPIPE has ended


def run(main):
    """Call `main()` and exit: 0 when done, 2 on a user's mistake or a full disk, 130 on Ctrl-C.

    Where the reader of a pipe has gone, as in `... | head -1`, nothing more is said, and the exit code is 141.

    Ctrl-C in the seconds before, while a script imports its libraries, is Python's own: it shows where it was.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")   # a file name may hold bytes that are no text
    try:
        code = _call(main)
    except BrokenPipeError:
        if not any(map(_is_cut, (sys.stdout, sys.stderr))):   # another pipe, such as one to a worker
            raise
        code = READER_GONE
        for stream in (sys.stdout, sys.stderr):
            _discard(stream)
    if code:
        sys.exit(code)


def _call(main):
    """Call `main()`; print one sentence where it fails, and return the exit code."""
    code = 0
    try:
        try:
            main()
        except SystemExit as leaving:   # argparse's
            code = leaving.code
        print(end="", flush=True)   # here rather than when Python ends, which could only say that it failed
        return code
    except UserError as error:
        return _leave(2, str(error))
    except KeyboardInterrupt:
        return _leave(130, "interrupted; what was written before is whole, and running again goes on from there")
    except OSError as error:
        if error.errno not in _EXPECTED:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _leave(2, f"{where}{_EXPECTED[error.errno]}; nothing already written was harmed")


_EXPECTED = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "the file would be larger than the file system or a limit (ulimit -f) allows: raise it or choose "
                 "another folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.EACCES: "permission denied: choose a folder that you may write to",
    errno.EROFS: "the file system is read-only: choose another folder",
}


def _leave(code, sentence):
    """Print a sentence after all that was said before, as far as there is anybody to read it; return the code."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, f"error: {sentence}\n" if code == 2 else f"{sentence}\n")):
        try:
            print(end=text, file=stream, flush=True)
        except OSError:
            _discard(stream)
    return code


def _discard(stream):
    """Let what a stream still holds vanish."""
    with contextlib.suppress(OSError, ValueError, AttributeError):   # none, or one without a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_cut(stream):
    """Whether a stream is a pipe whose reader has gone."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    return False
