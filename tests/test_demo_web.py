"""The workbench in a real browser: an edit by words and sliders, its files, and what must not happen on the page."""
import base64
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_project import ROOT

from core.methods.planner import SHIPPED

SCRIPT = "core/demo_web.py"
EDITED = "document.querySelector('#after img').src"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The page's address, and the folder for temporary files that its server uses."""
    pytest.importorskip("gradio", reason="needs gradio: pip install -r requirements-web.txt")
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, ROOT / SCRIPT, "--checkpoint", SHIPPED, "--port", "0", "--max_megapixels", "1",
               "--max_upload_mb", "1"]   # that planner does as it is told; a tiny one plans what no LUT can hold
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder)})
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert address, "the server did not start; its reason stands above"
    yield address.group(), folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert list(folder.iterdir()) == []   # no photo stays behind


@pytest.fixture()
def page(chromium, server):
    """The page, fresh; afterwards, that nothing was asked from elsewhere and no script failed."""
    context = chromium.new_context(viewport={"width": 1400, "height": 950})
    page, asked, failures = context.new_page(), [], []
    page.set_default_timeout(30_000)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failures.append(error))
    page.goto(server[0])
    page.wait_for_selector("#drop input", state="attached")
    yield page
    assert {url for url in asked if not url.startswith((server[0] + "/", "data:", "blob:"))} == set()
    assert failures == []
    assert str(server[1]) not in page.content()
    context.close()


@pytest.fixture()
def cat(tmp_path, photo):
    Image.fromarray(photo(300, 400)).save(path := tmp_path / "cat.png")
    return path


def drop(page, path):
    page.set_input_files("#drop input", path)


def opened(page, path):
    """Drop a photo and wait until it is shown."""
    drop(page, path)
    page.wait_for_selector("#after img")
    return page


def ask(page, request, turns=1):
    """Ask and wait until the history has so many entries."""
    page.get_by_label("What to do").fill(request)
    page.get_by_role("button", name="Edit").click()
    page.wait_for_function(f"document.querySelectorAll('#history li').length == {turns}")


def asked(page, cat, request="make it brighter and increase the contrast"):
    """Drop a photo, ask, and wait for the sliders."""
    ask(opened(page, cat), request)
    page.wait_for_selector(".step input[type=range]")
    return page


def shown(page):
    """The edited preview, (H, W, 3) in 0 to 255."""
    data = page.evaluate(EDITED).partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(float)


def act(page, action):
    """Do something, wait until the edited preview is another one, and return that."""
    before = page.evaluate(EDITED)
    action()
    page.wait_for_function(f"before => {EDITED} != before", arg=before)
    return shown(page)


def take(page, label, folder):
    """Click a download button; return the file, or fail with what the page says instead."""
    from playwright.sync_api import TimeoutError
    try:
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save {label}").click()
    except TimeoutError:
        pytest.fail(f"no {label}; the page says: {page.inner_text('#notice')!r}")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_photo_is_edited_by_words_and_the_files_are_those_of_edit_py(page, cat, tmp_path, run_script):
    asked(page, cat)
    assert np.abs(shown(page) - np.asarray(Image.open(cat))).mean() > 3
    (tmp_path / "web").mkdir()
    photo, plan, lut = (take(page, label, tmp_path / "web") for label in ("photo", "plan", "LUT"))
    assert [path.name for path in (photo, plan, lut)] == [f"cat_edited{end}" for end in (".png", ".plan.json", ".cube")]
    assert json.loads(plan.read_text())["steps"]
    result = run_script("core/edit.py", "--img", cat, "--replay", plan, "--export", tmp_path / "cat_edited.cube")
    assert result.code == 0, result.err
    assert photo.read_bytes() == (tmp_path / "cat_edited.png").read_bytes()
    assert lut.read_bytes() == (tmp_path / "cat_edited.cube").read_bytes()


def test_the_photo_follows_sliders_switches_and_undo(page, cat):
    first = shown(asked(page, cat))
    slider = page.locator(".step input[type=range]").first
    moved = act(page, lambda: slider.fill(slider.get_attribute("max")))
    assert np.abs(moved - first).mean() > 1
    switch = page.locator(".step input[type=checkbox]").first
    off = act(page, switch.uncheck)
    assert np.abs(act(page, switch.check) - moved).max() < np.abs(off - moved).max()
    act(page, lambda: ask(page, "a bit less", 2))
    act(page, lambda: ask(page, "undo", 1))
    assert np.array_equal(shown(page), moved)


def test_steps_change_places(page, cat, tmp_path):
    asked(page, cat)
    ask(page, "less saturation, please", 2)
    steps = page.locator(".step")
    count = len(json.loads(take(page, "plan", tmp_path).read_text())["steps"])
    assert count > 1
    page.wait_for_function("count => document.querySelectorAll('.step').length == count", arg=count)
    names = [text.strip().partition(" ")[2] for text in steps.locator("label", has=page.locator("[type=checkbox]"))
             .all_inner_texts()]
    assert steps.first.get_by_role("button").first.is_disabled()   # the first cannot go up
    steps.first.get_by_role("button").last.click()
    page.wait_for_function("name => document.querySelector('.step').innerText.includes('1. ' + name)", arg=names[1])
    plan = json.loads(take(page, "plan", tmp_path).read_text())
    assert [step["op"] for step in plan["steps"]] == [names[1], names[0], *names[2:]]


def test_markup_in_a_request_is_text(page, cat):
    evil = "<script>window.bad = 1</script><img src=x onerror='window.bad = 1'> {{#each}} ${bad} brighter"
    ask(opened(page, cat), evil)
    assert evil in page.inner_text("#history")
    assert page.locator("#history script, #history img").count() == 0
    assert page.evaluate("window.bad") is None


@pytest.mark.parametrize(("name", "reason"), [
    ("letter.jpg", "letter.jpg: not a JPEG, PNG, TIFF or WebP picture"),
    ("large.png", "large.png: 2000 x 1000 is 2 megapixels, more than the limit of 1")])
def test_a_bad_upload_is_one_sentence_and_the_photo_before_stays(page, cat, tmp_path, name, reason):
    asked(page, cat)
    before = page.evaluate(EDITED)
    if name.endswith(".png"):
        Image.new("RGB", (2000, 1000)).save(tmp_path / name)
    else:
        (tmp_path / name).write_text("Dear all")
    drop(page, tmp_path / name)
    page.wait_for_selector("#notice [role=alert]")
    assert page.inner_text("#notice").startswith(reason)
    assert page.evaluate(EDITED) == before
    assert page.locator(".step").count() > 0
    opened(page, cat)   # and the next upload works
    page.wait_for_selector("#notice [role=alert]", state="detached")


def test_a_file_over_the_limit_is_refused(page, tmp_path):
    (tmp_path / "film.jpg").write_bytes(bytes(1_500_000))
    drop(page, tmp_path / "film.jpg")
    page.get_by_text("exceed the maximum allowed size of 1.0 Mb").wait_for()


def test_what_cannot_be_done_is_said(page, cat):
    page.get_by_role("button", name="Save photo").click()
    page.get_by_text("Drop a photo first").wait_for()
    opened(page, cat)
    page.get_by_label("What to do").fill("less")
    page.get_by_label("What to do").press("Enter")
    page.get_by_text('"less" follows nothing that it could change; say first what to do').wait_for()
    assert page.get_by_label("What to do").input_value() == "less"   # to be mended, not typed again
    ask(page, "sharpen it")
    page.get_by_role("button", name="Save LUT").click()
    page.get_by_text(re.compile(r"\(sharpness .* cannot be held by a \.cube table")).wait_for()


def test_before_and_after_are_compared_by_keys(page, cat):
    opened(page, cat)
    divider = page.get_by_label("as it was before")
    divider.focus()
    page.keyboard.press("End")
    page.wait_for_function("getComputedStyle(document.getElementById('after')).clipPath.includes('100%')")


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page, cat):
    asked(page, cat)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    assert page.get_by_role("button", name="Save photo").bounding_box()["width"] > 60


def test_a_strangers_token_opens_nothing(page, server):
    for path in ("/download/guess/cat_edited.png", "/download/guess/..%2f..%2fetc%2fpasswd"):
        assert page.request.get(server[0] + path).status == 404


@pytest.mark.parametrize(("flags", "reason"), [
    (("--checkpoint", "nowhere"), "nowhere: no such checkpoint"),
    (("--port", "99999"), "--port: 99999 is out of range")])
def test_a_wrong_flag_is_one_sentence(run_script, monkeypatch, flags, reason):
    pytest.importorskip("gradio", reason="needs gradio: pip install -r requirements-web.txt")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")   # what the script sets goes with the test
    result = run_script(SCRIPT, *flags)
    assert (result.code, reason in result.err) == (2, True), result.err


def test_without_gradio_the_extra_is_named(run_script, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = run_script(SCRIPT)
    assert (result.code, "pip install -r requirements-web.txt" in result.err) == (2, True), result.err
