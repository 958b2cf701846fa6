"""How every script starts and ends: one clear sentence for a user's mistake, never a traceback."""
import errno
import io
import sys

from core.files import UserError


def run(main):
    """Call `main()` and exit: 0 when done, 2 on a user's mistake or a full disk, 130 on Ctrl-C.

    Ctrl-C in the seconds before, while a script imports its libraries, is Python's own: it shows where it was.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")   # a file name may hold bytes that are no text
    try:
        main()
    except UserError as error:
        _leave(2, str(error))
    except KeyboardInterrupt:
        _leave(130, "interrupted; what was written before is whole, and running again goes on from there")
    except OSError as error:
        if error.errno not in _EXPECTED:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _leave(2, f"{where}{_EXPECTED[error.errno]}; nothing already written was harmed")


_EXPECTED = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.EACCES: "permission denied: choose a folder that you may write to",
    errno.EROFS: "the file system is read-only: choose another folder",
}


def _leave(code, sentence):
    sys.stdout.flush()
    print(f"error: {sentence}" if code == 2 else sentence, file=sys.stderr)
    sys.exit(code)
