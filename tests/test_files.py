"""Files are complete or absent, and a mistake in a file gets a sentence with its name and line."""
import errno
import json
import os
import stat
import tempfile
import zipfile

import pytest
import torch

from core.files import (
    UserError,
    append_jsonl,
    passing_folder,
    read_json,
    read_jsonl,
    read_tensors,
    read_text,
    read_toml,
    replacing,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("error", [ValueError("bug"), OSError(errno.ENOSPC, "No space left on device"),
                                   KeyboardInterrupt(), SystemExit(1)], ids=lambda error: type(error).__name__)
def test_an_interrupted_writer_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(type(error)) as raised, replacing(path) as file:
        file.write(b"half of the n")
        raise error
    assert raised.value is error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.json"]


def test_a_disk_that_fills_while_the_file_is_closed_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "result.txt"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))   # simulates a full disk
    try:
        with pytest.raises(OSError, match="too large"), replacing(path) as file:
            file.write(b"x" * 200)   # these bytes stay in the buffer until the file is closed
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.txt"]


def test_a_failed_rename_leaves_the_old_file(tmp_path):
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"), replacing(tmp_path / "taken") as file:
        file.write(b"new")
    assert names(tmp_path) == ["taken"]


def test_a_half_written_file_is_never_visible(tmp_path):
    path = tmp_path / "a" / "b" / "result.txt"
    with replacing(path, "w") as file:
        file.write("nëw")
        file.flush()
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "nëw"
    assert names(path.parent) == ["result.txt"]


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_written_files_are_as_readable_as_others(tmp_path, monkeypatch, umask):
    before = os.umask(umask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", None)   # writing must not change the umask, which all threads share
            write_text(tmp_path / "written", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "written").stat().st_mode) == 0o666 & ~umask


def test_an_error_without_a_file_name_gets_the_name_of_the_written_file(tmp_path):
    for found in (None, "read.json"):
        with pytest.raises(OSError, match="too large") as raised, replacing(tmp_path / "a.json"):
            raise OSError(errno.EFBIG, "File too large", *([found] if found else []))
        assert raised.value.filename == (found or str(tmp_path / "a.json"))


def test_a_log_that_cannot_grow_is_named(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "log.jsonl"
    append_jsonl(path, [1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as raised:
            append_jsonl(path, ["x" * 50])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.filename == str(path)
    assert read_jsonl(path) == [1]


@pytest.mark.parametrize("path", ["long.json", "/dev/zero"])
def test_a_file_above_the_limit_is_not_read(tmp_path, path):
    (tmp_path / "long.json").write_text("[" + "1," * 600_000 + "1]")
    with pytest.raises(UserError, match=r"(long\.json|zero): is larger than 1 MiB, the limit"):
        read_json(tmp_path / path, most=2**20)
    (tmp_path / "long.json").write_text("[1]".ljust(2**20))
    assert read_json(tmp_path / "long.json", most=2**20) == [1]


@pytest.mark.parametrize("text", ["a = 1 2", "a = " + "[" * 100_000, "a = " + "9" * 5000],
                         ids=["line", "deep", "digits"])
def test_malformed_toml_is_named(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError, match=r"a\.toml: malformed TOML"):
        read_toml(tmp_path / "a.toml")


def test_tensors_that_unpack_to_more_than_the_file_holds_are_not_unpacked(tmp_path):
    torch.save({"weight": torch.zeros(100_000)}, tmp_path / "honest.pt")
    assert read_tensors(tmp_path / "honest.pt")["weight"].shape == (100_000,)
    with zipfile.ZipFile(tmp_path / "honest.pt") as honest, zipfile.ZipFile(
            tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in honest.namelist():
            bomb.writestr(name, honest.read(name))
    with pytest.raises(ValueError, match="unpacks to"):
        read_tensors(tmp_path / "bomb.pt")


def test_an_impossible_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"x\.json: cannot be written here .*choose another folder"):
        write_json(tmp_path / "file" / "x.json", 1)


def test_json_round_trip(tmp_path):
    value = {"request": "heller – bitte\u2028", "n": [1, 0.1, None, True]}
    write_json(tmp_path / "a.json", value, indent=1)
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_text(encoding="utf-8").endswith("\n")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_outside_json_are_never_written(tmp_path, number):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"l1": number})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_jsonl(tmp_path / "a.jsonl", [1, number])
    assert read_json(tmp_path / "a.json") == 1
    assert not (tmp_path / "a.jsonl").exists()


def test_a_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]\r\n")
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf1\r\n2\r\n")
    assert read_json(tmp_path / "a.json") == [1]
    assert read_jsonl(tmp_path / "a.jsonl") == [1, 2]


@pytest.mark.parametrize(("text", "where"), [
    ('{"a": 1,\n "b": }', ", line 2: malformed JSON .*column 7"), ("", ", line 1: malformed"), ("{}\n{}", ", line 2"),
    ("[" * 100_000, ".*malformed"), ("9" * 5000, ".*malformed")], ids=["value", "empty", "two", "deep", "digits"])
def test_malformed_json_is_named_with_its_line(tmp_path, text, where):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json" + where):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("bad", ["{", "", "9" * 5000], ids=["brace", "empty", "digits"])
def test_a_malformed_line_is_named(tmp_path, bad):
    (tmp_path / "a.jsonl").write_text(f'{{"a": 1}}\n{{"a": 2}}\n{bad}\n{{"a": 3}}\n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 3: malformed JSON .*delete that line"):
        read_jsonl(tmp_path / "a.jsonl")


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "latin.json").write_bytes("é".encode("latin-1"))
    for path, reason in (("absent.json", "no such file"), ("latin.json", "not UTF-8 text"), ("", "cannot be read")):
        with pytest.raises(UserError, match=reason):
            read_text(tmp_path / path)


def test_jsonl_round_trip_with_unicode_line_separators(tmp_path):
    values = [{"request": "one\u2028two\u2029three\x85four\x0bfive\nsix"}, "ü", []]
    append_jsonl(tmp_path / "new" / "a.jsonl", values[:1])
    append_jsonl(tmp_path / "new" / "a.jsonl", values[1:])
    assert read_jsonl(tmp_path / "new" / "a.jsonl") == values


def test_an_empty_jsonl_has_no_values(tmp_path):
    (tmp_path / "a.jsonl").touch()
    assert read_jsonl(tmp_path / "a.jsonl") == []


ROWS = [{"request": "é\u2028"}, {"request": "später"}]


@pytest.mark.parametrize("cut", range(1, len(json.dumps(ROWS[1], ensure_ascii=False).encode()) + 1))
def test_jsonl_is_appended_after_a_half_written_line(tmp_path, cut):
    path = tmp_path / "a.jsonl"
    append_jsonl(path, ROWS)
    path.write_bytes(path.read_bytes()[:-cut])   # the writer was stopped anywhere, even inside a character
    assert read_jsonl(path) == ROWS[:1]
    append_jsonl(path, ["next"])
    assert read_jsonl(path) == [ROWS[0], "next"]


def test_jsonl_is_appended_when_its_only_line_is_half_written(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"na')
    assert read_jsonl(path) == []
    append_jsonl(path, [1])
    assert read_jsonl(path) == [1]


def test_a_temporary_folder_holds_all_temporary_files_and_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with passing_folder("web-") as folder:
        (folder / "photo.jpg").write_bytes(b"x")
        assert tempfile.gettempdir() == str(folder)
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)
    with pytest.raises(KeyboardInterrupt), passing_folder("web-"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_only_temporary_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("web-killed/photos", "other-killed", "kept/photos"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "web-killed/photos/cat.jpg").write_bytes(b"x")
    (tmp_path / "web-link").symlink_to(tmp_path / "kept")
    with passing_folder("web-") as living:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with passing_folder("web-") as another:
            left = {path.name for path in tmp_path.iterdir()}
            assert left == {living.name, another.name, "other-killed", "kept", "web-link"}
    assert (tmp_path / "kept/photos").is_dir()
