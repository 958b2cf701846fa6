"""Imports beside other work."""
import sys
import threading

from core.lazy import importing


def test_modules_are_imported_in_another_thread_and_missing_ones_wait_for_their_use(tmp_path, monkeypatch):
    (tmp_path / "imported_beside.py").write_text("import threading\nthread = threading.get_ident()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with importing("no_such_module", "imported_beside"):
        pass
    assert sys.modules.pop("imported_beside").thread != threading.get_ident()
    assert "no_such_module" not in sys.modules
