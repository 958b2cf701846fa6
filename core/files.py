"""The ground floor: the one error a user sees, and files that are never half written."""
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path


class UserError(Exception):
    """A mistake in what the user gave: one sentence with file, field and remedy.

    Scripts print it without a traceback and exit with code 2.
    """


@contextlib.contextmanager
def replacing(path, mode="wb"):
    """Open a temporary file beside `path`; rename it to `path` if the block succeeds.

    An exception (a full disk, Ctrl-C) removes the temporary file and leaves `path` as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise UserError(f"{path}: cannot be written here ({error.strerror}); choose another folder") from error
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes private files; a result is an ordinary one
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_text(path, text):
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path, "w") as file:
        file.write(text)


def write_json(path, value, indent=None):
    """Write `value` as JSON, whole or not at all. NaN and infinity are refused (they are not JSON)."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path, complete_lines=False):
    """Return the text of a UTF-8 file, or only its complete lines. Raises UserError where it cannot be read."""
    try:
        data = Path(path).read_bytes()
        if complete_lines:
            data = data[:data.rfind(b"\n") + 1]   # before decoding: the last line may break off inside a character
        return data.decode("utf-8-sig")   # some editors begin files with a mark
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def read_json(path):
    """Return the value of a JSON file. Raises UserError with file and line where it is malformed.

    `NaN` is read as a float: published annotations contain it, and each reader decides.
    """
    return _parse(read_text(path), path)


def read_jsonl(path):
    """Return the values of a JSON Lines file.

    A last line without its newline is what an interrupted writer leaves: it is dropped, not an error.
    """
    lines = read_text(path, complete_lines=True).split("\n")[:-1]
    return [_parse(line, path, number, "; delete that line") for number, line in enumerate(lines, start=1)]


def _parse(text, path, first_line=1, remedy=""):
    """Return the value of a JSON text that begins in line `first_line` of `path`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {first_line + error.lineno - 1}: malformed JSON ({error.msg} at column "
                        f"{error.colno}){remedy}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}, line {first_line}: malformed JSON (a number of thousands of digits, or brackets "
                        f"thousands deep){remedy}") from None


def write_jsonl(path, values):
    """Write `values` as JSON Lines, whole or not at all."""
    write_text(path, _lines(values))


def _lines(values):
    return "".join(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n" for value in values)


def append_jsonl(path, values):
    """Append `values` as JSON Lines, after cutting off what an interrupted writer left."""
    path, lines = Path(path), _lines(values)   # values that are not JSON are refused before the file is touched
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        if end := file.seek(0, os.SEEK_END):
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(lines.encode())


def sha256(path, remedy):
    """Return the SHA-256 of a file in hexadecimal. Raises UserError, which ends with `remedy`."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None


@contextlib.contextmanager
def passing_folder(prefix):
    """Make a folder for temporary files that goes with the block; all of this process go there meanwhile.

    Those with this prefix whose processes were killed go now: a living one holds a lock on its folder.
    """
    import fcntl
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), _opened(left) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    made = tempfile.mkdtemp(prefix=f".{prefix}")
    folder = parent / Path(made).name.removeprefix(".")
    before = tempfile.tempdir
    with _opened(made) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.rename(made, folder)   # locked before it has the name that others look for
        try:
            tempfile.tempdir = str(folder)
            yield folder
        finally:
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _opened(folder):
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)
