"""misc/contact_sheet.py draws photos beside their edits."""
import numpy as np
import pytest
from PIL import Image

SCRIPT = "misc/contact_sheet.py"


def test_a_sheet_shows_each_photo_and_its_edits(run_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = np.tile(np.linspace(60, 180, 90, dtype=np.uint8)[:, None, None], (1, 60, 3))
    Image.fromarray(photo).save("grey.png")
    result = run_script(SCRIPT, "sheet.png", "--img", "grey.png", "--request", "darker", "remove the man", "--size", 80)
    assert result.code == 0, result.err
    assert "sheet: sheet.png, 1 rows of 2 requests" in result.out
    assert "remove the man: refused" in result.out + result.err
    sheet = np.asarray(Image.open("sheet.png")).astype(int)
    before, after, refused = (sheet[40:, left:left + 50] for left in (0, 86, 172))
    assert (before - after).mean() > 5
    assert (before == refused).all()


@pytest.mark.parametrize(("flags", "words"), [
    (("sheet.gif",), "a .jpg or .png file"), (("sheet.jpg", "--img", "none.jpg"), "none.jpg")])
def test_bad_input_is_one_sentence(flags, words, run_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_script(SCRIPT, *flags)
    assert result.code == 2
    assert words in result.err
