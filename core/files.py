"""The error class for users' mistakes, and file reading and writing; a file is written whole or not at all."""
import contextlib
import hashlib
import io
import json
import os
import pickle
import secrets
import shutil
import struct
import tempfile
import tomllib
import warnings
import zipfile
from pathlib import Path


class UserError(Exception):
    """A mistake in the user's input; the text is one sentence with file, field and remedy.

    Scripts print the sentence without a traceback and exit with `code`.
    """

    code = 2


@contextlib.contextmanager
def naming(name):
    """Prefix the sentence of a UserError raised in the block with `name`, a file or a flag."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def listing(names, limit=5):
    """Return the first `limit` names and the number of further names, as a text for a sentence."""
    names = list(names)
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def identity(path):
    """Return a value that is equal for all names of a file, such as links, relative paths, and other letter case.

    If there is no file, the value is the path with its links resolved.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def naming_file(path):
    """Add the file name `path` to an OSError of the block that names no file, such as one of a failed write."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def replacing(path, mode="wb"):
    """Open a temporary file beside `path`; rename it to `path` if the block succeeds.

    An exception (a full disk, Ctrl-C) removes the temporary file and leaves `path` as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = create_beside(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written here ({error.strerror}); choose another folder") from error
    try:
        with naming_file(path):
            with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
                yield file
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def create_beside(path):
    """Create a file with a hidden, random name in the folder of `path`; return (its descriptor, its path).

    The operating system applies the umask to the new file. `tempfile` would make the file private, and Python can
    read the umask only by changing it for all threads.
    """
    name = f".{path.stem}-{secrets.token_hex(4)}{path.suffix}"
    temporary = os.path.join(path.parent, name)
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), temporary


def write_text(path, text):
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path, "w") as file:
        file.write(text)


def write_json(path, value, indent=None):
    """Write `value` as JSON, whole or not at all. Raises ValueError for NaN and infinity, which are not JSON."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path, complete_lines=False, most=None):
    """Return the text of a UTF-8 file; with `complete_lines`, without an unfinished last line.

    Raises UserError if the file cannot be read or has more than `most` bytes; a larger file is not read to its end.
    """
    try:
        with open(path, "rb") as file:
            data = file.read() if most is None else file.read(most + 1)
        if most is not None and len(data) > most:
            raise UserError(f"{path}: is larger than {most / 2**20:g} MiB, the limit; give a smaller file")
        if complete_lines:
            data = data[:data.rfind(b"\n") + 1]   # cut before decoding: the last line may end inside a character
        return data.decode("utf-8-sig")   # some editors write a byte order mark
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def read_json(path, most=None):
    """Return the value of a JSON file of at most `most` bytes. Raises UserError with file and line if it is malformed.

    `NaN` is read as a float, because published annotations contain it; each caller decides how to treat it.
    """
    return _parse(read_text(path, most=most), path)


def read_jsonl(path):
    """Return the values of a JSON Lines file.

    A last line without a newline, left by an interrupted writer, is dropped without an error.
    """
    lines = read_text(path, complete_lines=True).split("\n")[:-1]
    return [_parse(line, path, number, "; delete that line") for number, line in enumerate(lines, start=1)]


def read_toml(path):
    """Return the tables of a TOML file. Raises UserError with file and line if it is malformed."""
    try:
        return tomllib.loads(read_text(path))
    except ValueError as error:   # TOMLDecodeError is a ValueError
        raise UserError(f"{path}: malformed TOML ({error})") from error
    except RecursionError as error:
        raise UserError(f"{path}: malformed TOML (brackets nested thousands deep)") from error


def _parse(text, path, first_line=1, remedy=""):
    """Return the value of a JSON text that begins in line `first_line` of `path`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {first_line + error.lineno - 1}: malformed JSON ({error.msg} at column "
                        f"{error.colno}){remedy}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}, line {first_line}: malformed JSON (a number with thousands of digits, or brackets "
                        f"nested thousands deep){remedy}") from None


def write_jsonl(path, values):
    """Write `values` as JSON Lines, whole or not at all."""
    write_text(path, _lines(values))


def _lines(values):
    return "".join(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n" for value in values)


def append_jsonl(path, values):
    """Append `values` as JSON Lines, after removing an unfinished last line of an interrupted writer."""
    path, lines = Path(path), _lines(values)   # values that are not JSON fail before the file is touched
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming_file(path), open(path, "ab+") as file:
        if end := file.seek(0, os.SEEK_END):
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(lines.encode())


# Exceptions that torch.load and load_state_dict raise on foreign or damaged files. The list was found by changing
# random bytes of 20,000 small files.
FOREIGN = (pickle.UnpicklingError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, EOFError,
           AssertionError, ArithmeticError, MemoryError, struct.error, zipfile.BadZipFile)


def read_tensors(path):
    """Return the tensors and plain values that `torch.save` wrote, on the CPU; code in the file is not run.

    Raises OSError if the file cannot be read, and one of FOREIGN if it holds something else, is damaged, or would
    unpack to more bytes than its own size.
    """
    import torch
    with open(path, "rb") as file:
        data = io.BytesIO(file.read())   # read first, so that a disk error is not taken for a damaged file
    if zipfile.is_zipfile(data):
        with zipfile.ZipFile(data) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > len(data.getbuffer()):   # torch.save does not compress
            raise ValueError(f"unpacks to {unpacked} bytes")
    data.seek(0)
    with warnings.catch_warnings():   # torch warns about formats that it does not know
        warnings.simplefilter("ignore")
        return torch.load(data, map_location="cpu", weights_only=True)


def last_line(error):
    """Return the last line of an exception's text, at most 200 characters; torch's texts have many lines."""
    return (str(error).splitlines() or [type(error).__name__])[-1].strip()[:200]


def sha256(path, remedy):
    """Return the SHA-256 of a file in hexadecimal. Raises UserError, ending with `remedy`, for an unreadable file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None


@contextlib.contextmanager
def passing_folder(prefix):
    """Create a folder for all temporary files of this process, and remove the folder at the end of the block.

    First, the folders that killed processes left under this prefix are removed. These folders have no lock, because
    only a live process holds a lock on its folder.
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
        os.rename(made, folder)   # renamed after locking: other processes remove unlocked folders with this name
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
