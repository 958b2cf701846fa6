"""The workbench in a real browser: edits by words and sliders, saved files, refused uploads and attacks."""
import base64
import html
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import chelsea
from tiny_project import RAN, ROOT

from core.methods.planner import SHIPPED
from core.operators import TABLE

SCRIPT = "core/demo_web.py"
EDITED = "document.querySelector('#after img').src"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start the server; return its address, its process and its folder of temporary files."""
    pytest.importorskip("gradio", reason="needs gradio: pip install -r requirements-web.txt")
    folder = tmp_path_factory.mktemp("server")
    (folder / "ldie-web-killed/photo").mkdir(parents=True)   # as a killed server leaves it
    command = [sys.executable, ROOT / SCRIPT, "--checkpoint", SHIPPED, "--port", "0", "--max_megapixels", "1",
               "--max_decoded_mb", "4", "--max_upload_mb", "1"]   # the tiny project's planner may plan steps ...
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,   # ... that no LUT can hold
                               env=os.environ | {"TMPDIR": str(folder)})
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert address, "the server did not start; its reason stands above"
    assert not (folder / "ldie-web-killed").exists()
    yield SimpleNamespace(url=address.group(), folder=folder, process=process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert list(folder.iterdir()) == []   # no photo is left


@pytest.fixture()
def page(chromium, server):
    """Return a new page; afterwards check that it sent no request elsewhere and that no script of it failed."""
    context = chromium.new_context(viewport={"width": 1400, "height": 950})
    page, asked, failures = context.new_page(), [], []
    page.set_default_timeout(30_000)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failures.append(error))
    page.goto(server.url)
    page.wait_for_selector("#drop input", state="attached")
    yield page
    assert {url for url in asked if not url.startswith((server.url + "/", "data:", "blob:"))} == set()
    assert failures == []
    assert str(server.folder) not in page.content()
    context.close()


@pytest.fixture()
def cat(tmp_path):
    """A photo of a cat, 400 x 300."""
    Image.fromarray(chelsea()[:300, :400]).save(path := tmp_path / "cat.png")
    return path


def drop(page, path):
    page.set_input_files("#drop input", path)


def opened(page, path):
    """Drop a photo on the page and wait until it is shown."""
    drop(page, path)
    page.wait_for_selector("#after img")
    return page


def ask(page, request, turns=1):
    """Enter a request and wait until the history has `turns` entries."""
    page.get_by_label("What to do").fill(request)
    page.get_by_role("button", name="Edit").click()
    page.wait_for_function(f"document.querySelectorAll('#history li').length == {turns}")


def asked(page, cat, request="make it brighter and increase the contrast"):
    """Drop a photo, enter a request, and wait for the sliders."""
    ask(opened(page, cat), request)
    page.wait_for_selector(".step input[type=range]")
    return page


def shown(page):
    """Return the edited preview, (H, W, 3) in 0 to 255."""
    data = page.evaluate(EDITED).partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(float)


def act(page, action):
    """Perform an action, wait until the edited preview has changed, and return the new preview."""
    before = page.evaluate(EDITED)
    action()
    page.wait_for_function(f"before => {EDITED} != before", arg=before)
    return shown(page)


def take(page, label, folder):
    """Click a download button; return the file, or fail with the message on the page."""
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


def test_a_request_that_cannot_be_done_is_said_and_edits_nothing(page, cat):
    before = shown(opened(page, cat))
    page.get_by_label("What to do").fill("flurbish the glorp")
    page.get_by_role("button", name="Edit").click()
    page.wait_for_selector("#notice [role=alert]")
    assert page.inner_text("#notice").startswith("nothing was edited: ")
    assert "make it a bit brighter" in page.inner_text("#notice")
    assert page.locator("#history li").count() == 0
    assert np.array_equal(shown(page), before)
    ask(page, "make it brighter")   # the notice then goes away
    page.wait_for_selector("#notice [role=alert]", state="detached")


def test_sliders_switches_and_undo_change_the_photo(page, cat):
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


def test_steps_can_be_reordered(page, cat, tmp_path):
    asked(page, cat)
    ask(page, "less saturation, please", 2)
    steps = page.locator(".step")
    count = len(json.loads(take(page, "plan", tmp_path).read_text())["steps"])
    assert count > 1
    page.wait_for_function("count => document.querySelectorAll('.step').length == count", arg=count)
    names = [text.strip().partition(" ")[2] for text in steps.locator("label", has=page.locator("[type=checkbox]"))
             .all_inner_texts()]
    assert steps.first.get_by_role("button").first.is_disabled()   # the first step cannot move up
    steps.first.get_by_role("button").last.click()
    page.wait_for_function("name => document.querySelector('.step').innerText.includes('1. ' + name)", arg=names[1])
    plan = json.loads(take(page, "plan", tmp_path).read_text())
    assert [TABLE[step["op"]].label for step in plan["steps"]] == [names[1], names[0], *names[2:]]


def test_markup_in_a_request_is_text(page, cat):
    evil = "<script>window.bad = 1</script><img src=x onerror='window.bad = 1'> {{#each}} ${bad} brighter"
    ask(opened(page, cat), evil)
    assert evil in page.inner_text("#history")
    assert page.locator("#history script, #history img").count() == 0
    assert page.evaluate("window.bad") is None


@pytest.mark.parametrize(("name", "reason"), [
    ("letter.jpg", "letter.jpg: not a picture of a known format"),
    ("large.png", "large.png: 2000 x 1000 is 2 megapixels, more than the limit of 1"),
    ("deep.png", "deep.png: 1000 x 1000 pixels of 8 bytes are 8 MB when decoded, more than the limit of 4"),
    ("scans.jpg", "scans.jpg: a progressive JPEG of more than 500 scans is not read")])
def test_a_bad_upload_is_one_sentence_and_the_photo_before_stays(page, cat, tmp_path, name, reason):
    asked(page, cat)
    before = page.evaluate(EDITED)
    if name == "large.png":
        Image.new("RGB", (2000, 1000)).save(tmp_path / name)
    elif name == "deep.png":
        cv2.imwrite(str(tmp_path / name), np.zeros((1000, 1000, 4), np.uint16))
    elif name == "scans.jpg":
        Image.new("RGB", (64, 48)).save(tmp_path / name, progressive=True)
        data = (tmp_path / name).read_bytes()
        last = data.rindex(b"\xff\xda")
        (tmp_path / name).write_bytes(data[:last] + data[last:-2] * 500 + data[-2:])
    else:
        (tmp_path / name).write_text("Dear all")
    drop(page, tmp_path / name)
    page.wait_for_selector("#notice [role=alert]")
    assert page.inner_text("#notice").startswith(reason)
    assert page.evaluate(EDITED) == before
    assert page.locator(".step").count() > 0
    opened(page, cat)   # the next upload works
    page.wait_for_selector("#notice [role=alert]", state="detached")


def test_a_file_over_the_limit_is_refused(page, tmp_path):
    (tmp_path / "film.jpg").write_bytes(bytes(1_500_000))
    drop(page, tmp_path / "film.jpg")
    page.get_by_text("exceed the maximum allowed size of 1.0 Mb").wait_for()


def test_impossible_requests_are_answered_with_a_message(page, cat):
    page.get_by_role("button", name="Save photo").click()
    page.get_by_text("Drop a photo first").wait_for()
    opened(page, cat)
    page.get_by_label("What to do").press_sequentially("less")
    page.get_by_label("What to do").press("Enter")
    page.get_by_text('"less" needs an earlier edit to change; first say what to do').wait_for()
    assert page.get_by_label("What to do").input_value() == "less"   # the request stays, to be corrected
    ask(page, "sharpen it")
    page.get_by_role("button", name="Save LUT").click()
    page.get_by_text(re.compile(r"\((sharpen|texture|sharpness).* cannot be held by a \.cube table")).wait_for()


def test_the_photo_shows_before_on_the_left_of_its_slider_and_after_on_the_right(page, cat):
    asked(page, cat)
    divider = page.get_by_label("per cent of the photo that show the edit")
    size = page.locator("#photo").bounding_box()

    def shares():
        """Return for the left and the right half of the photo on the screen whether it shows "before" or "after"."""
        seen = np.asarray(Image.open(io.BytesIO(page.locator("#photo").screenshot())).convert("RGB")).astype(float)
        whole = [np.asarray(Image.open(cat).resize(seen.shape[1::-1])),
                 np.asarray(Image.fromarray(np.uint8(shown(page))).resize(seen.shape[1::-1]))]
        rows = slice(int(0.1 * len(seen)), int(0.4 * len(seen)))   # rows between the handle and the edge
        left, right = slice(30, int(size["width"] / 2) - 30), slice(int(size["width"] / 2) + 30, -30)
        return [["before", "after"][np.argmin([np.abs(seen - image)[rows, half].mean() for image in whole])]
                for half in (left, right)]

    assert shares() == ["after", "after"]   # the edit is visible at once
    divider.focus()
    page.keyboard.press("Home")
    assert shares() == ["before", "before"]
    page.keyboard.press("End")
    assert shares() == ["after", "after"]
    page.mouse.click(size["x"] + size["width"] / 2, size["y"] + size["height"] / 4)
    assert shares() == ["before", "after"]


@pytest.mark.parametrize("size", [(1400, 600), (390, 844)])
def test_the_photo_stays_in_sight_while_the_last_slider_moves(page, cat, size):
    asked(page, cat)
    ask(page, "less saturation, please", 2)
    ask(page, "sharpen it", 3)
    page.wait_for_function("document.querySelectorAll('.step').length >= 4")
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    slider = page.locator(".step input[type=range]").last
    slider.scroll_into_view_if_needed()
    page.wait_for_function("document.scrollingElement.scrollTop > 0")
    photo, last = page.locator("#photo").bounding_box(), slider.bounding_box()
    assert photo["y"] >= 0
    assert photo["y"] + photo["height"] <= size[1]
    assert 0 <= last["y"] <= size[1]
    if size[0] < 700:   # only on a narrow window the photo is above the sliders
        assert photo["y"] + photo["height"] <= last["y"]


def test_saving_shows_a_progress_bar_at_once(page, cat):
    asked(page, cat)
    held = []
    page.route("**/queue/join*", lambda route: held.append(route))
    with page.expect_download():
        page.get_by_role("button", name="Save photo").click()
        page.get_by_text("Saving the photo").wait_for()
        page.locator("#stage progress").wait_for()
        for route in held:
            route.continue_()
        page.unroute("**/queue/join*")
    page.locator("#stage progress").wait_for(state="detached")


def test_a_slider_does_not_wait_for_a_save(page, cat, server):
    first = shown(asked(page, cat))
    tasks = Path(f"/proc/{server.process.pid}/task")
    if not tasks.is_dir():
        pytest.skip("needs Linux, which tells the processes of a process")
    workers = [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)   # the save never ends
    try:
        with page.expect_download() as download:
            page.get_by_role("button", name="Save photo").click()
            page.get_by_text("Saving the photo").wait_for()
            slider = page.locator(".step input[type=range]").first
            assert np.abs(act(page, lambda: slider.fill(slider.get_attribute("max"))) - first).mean() > 1
            assert page.get_by_text("Saving the photo").is_visible()
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        assert download.value.suggested_filename == "cat_edited.png"
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def test_a_phone_shows_the_whole_width_of_the_page(page, cat):
    asked(page, cat)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    assert page.get_by_role("button", name="Save photo").bounding_box()["width"] > 60


def test_a_strangers_token_opens_nothing(page, server):
    for path in ("/download/guess/cat_edited.png", "/download/guess/..%2f..%2fetc%2fpasswd"):
        assert page.request.get(server.url + path).status == 404


class Visitor:
    """A session of somebody who writes the requests by hand; `said` collects all answers of the server."""

    def __init__(self, url):
        import httpx
        self.web, self.session, self.said = httpx.Client(base_url=url, timeout=60), uuid.uuid4().hex[:10], []

    def call(self, index, data):
        """Post an event by its index; return the server's messages about its end."""
        event = {"fn_index": index, "session_hash": self.session, "data": data}
        answer = self.web.post("/gradio_api/queue/join", json=event).text
        if "event_id" in answer:
            answer += self.web.get("/gradio_api/queue/data", params={"session_hash": self.session}).text
        self.said.append(answer)
        return [json.loads(line[5:]) for line in answer.splitlines() if line.startswith("data:")]

    def get(self, path):
        self.said.append(self.web.get(path).text)

    def events(self, photo):
        """Open a photo, ask for an edit, and return {index: (name, number of inputs)} of the page and of its cards."""
        config = self.web.get("/config").json()
        kinds = {component["id"]: component["type"] for component in config["components"]}
        events = config["dependencies"]
        taking = {event["id"]: [kinds[part] for part in event["inputs"]] for event in events}
        path, = self.web.post("/gradio_api/upload", files={"files": ("cat.png", photo)}).json()
        opening, = (index for index, inputs in taking.items() if "file" in inputs)
        asking, = (index for index, inputs in taking.items() if "textbox" in inputs)
        sent = {"file": {"path": path, "meta": {"_type": "gradio.FileData"}}, "textbox": "make it brighter"}
        for index in (opening, asking):
            assert "<img" in str(self.call(index, [sent.get(kind) for kind in taking[index]]))
        drawing, = (event["id"] for event in events if event["targets"] and event["targets"][0][1] == "change")
        cards = next(config for message in self.call(drawing, [None])
                     if (config := message.get("output", {}).get("render_config")))
        assert len(cards["dependencies"]) >= 3   # two buttons, a switch, a slider
        return {event["id"]: (event["api_name"], len(event["inputs"])) for event in (*events, *cards["dependencies"])}


def test_no_event_hands_out_a_file_of_the_server(server, cat, tmp_path):
    canary = tmp_path / "canary.txt"
    canary.write_text(secret := "the canary sings")
    visitor = Visitor(server.url)
    file = {"path": str(canary), "meta": {"_type": "gradio.FileData"}}
    wishes = [file, {**file, "orig_name": "make it brighter", "url": f"file://{canary}"}, [file], {"value": file},
              str(canary), f"file://{canary}", f"make it brighter {canary}"]
    for index, (name, count) in visitor.events(cat.read_bytes()).items():
        for wish in wishes:
            for place in range(count):
                visitor.call(index, [wish if place == other else None for other in range(count)])
            visitor.call(index, [wish] * count)
            for route in ("run", "api", "call", "call/v2"):
                sent = {"data": [wish] * count, "session_hash": visitor.session}
                visitor.said.append(visitor.web.post(f"/gradio_api/{route}/{name}", json=sent).text)
    came_back = {str(canary)} | set(re.findall(r"/[\w./-]*canary\.txt", html.unescape(" ".join(visitor.said))))
    for path in came_back:
        for route in ("/gradio_api/file=", "/gradio_api/file", "/gradio_api/stream", "/static", "/assets", ""):
            visitor.get(f"{route}{path}")
    assert [answer for answer in visitor.said if secret in answer] == []
    assert list(server.folder.rglob("*canary*")) == []


def test_the_server_serves_its_page(server, record_property):
    assert "LDIE" in urllib.request.urlopen(server.url).read().decode()
    record_property(RAN, SCRIPT)   # in a process of its own, which ends with the tests


def test_an_upload_is_opened_by_its_own_session_only(server, cat):
    mine, other = Visitor(server.url), Visitor(server.url)
    events = mine.events(cat.read_bytes())
    opening = next(index for index, (name, _) in events.items() if name == "_open")
    path, = mine.web.post("/gradio_api/upload", files={"files": ("cat.png", cat.read_bytes())}).json()
    sent = [None, None, {"path": path, "meta": {"_type": "gradio.FileData"}}]
    assert "<img" in str(mine.call(opening, sent))
    assert other.call(opening, sent) == []
    assert "does not send this" in other.said[-1]
    assert mine.call(opening, sent) == []   # an upload opens only once
    assert not Path(path).exists()


@pytest.mark.parametrize(("headers", "status"), [
    ({"Host": "evil.example"}, 400), ({"Host": "localhost"}, 200), ({"Origin": "http://evil.example"}, 403), ({}, 200)])
def test_the_page_is_for_its_own_host_and_origin(server, headers, status):
    answer = Visitor(server.url).web.get("/", headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("flags", "reason"), [
    (("--checkpoint", "nowhere"), "nowhere: no such checkpoint"),
    (("--port", "99999"), "--port: 99999 is out of range")])
def test_a_wrong_flag_is_one_sentence(run_script, monkeypatch, flags, reason):
    pytest.importorskip("gradio", reason="needs gradio: pip install -r requirements-web.txt")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")   # monkeypatch restores this variable, which the script sets
    result = run_script(SCRIPT, *flags)
    assert (result.code, reason in result.err) == (2, True), result.err


def test_without_gradio_the_extra_is_named(run_script, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = run_script(SCRIPT)
    assert (result.code, "pip install -r requirements-web.txt" in result.err) == (2, True), result.err
