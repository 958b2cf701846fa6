"""The entry point of every script: a user's mistake prints one clear sentence, never a traceback."""
import contextlib
import errno
import io
import os
import select
import sys

from core.files import UserError

READER_GONE = 141   # 128 + SIGPIPE, a shell's exit code for a program that this signal ended


def run(main):
    """Call `main()` and exit with code 0 on success, 2 on a user's mistake or a full disk, 130 on Ctrl-C.

    A UserError with another `code`, such as 3 for a request that cannot be done, gives that exit code.

    If the reader of a pipe has closed the pipe, as in `... | head -1`, print nothing more and exit with code 141.

    Ctrl-C before this call, while a script imports its libraries, gives Python's own traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")   # a file name may hold bytes that are not text
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
    """Call `main()` and return the exit code; print one sentence for an expected error."""
    code = 0
    try:
        try:
            main()
        except SystemExit as leaving:   # argparse raises it
            code = leaving.code
        print(end="", flush=True)   # flush here: at exit, Python would report a failure without its cause
        return code
    except UserError as error:
        return _leave(error.code, str(error))
    except KeyboardInterrupt:
        return _leave(130, "interrupted; files written so far are complete; run again to continue")
    except OSError as error:
        if error.errno not in _EXPECTED:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _leave(2, f"{where}{_EXPECTED[error.errno]}; files written before are intact")


_EXPECTED = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "the file would be larger than the file system or a limit (ulimit -f) allows: raise the limit or "
                 "choose another folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.EACCES: "permission denied: choose a folder that you may write to",
    errno.EROFS: "the file system is read-only: choose another folder",
}


def _leave(code, sentence):
    """Flush standard output, print a sentence on standard error, and return the code; closed streams are ignored."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, f"error: {sentence}\n" if code == 2 else f"{sentence}\n")):
        try:
            print(end=text, file=stream, flush=True)
        except OSError:
            _discard(stream)
    return code


def _discard(stream):
    """Redirect a stream to the null device, so that its buffered text is discarded."""
    with contextlib.suppress(OSError, ValueError, AttributeError):   # no stream, or a stream without a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_cut(stream):
    """Return whether a stream is a pipe whose reader has closed it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    return False
