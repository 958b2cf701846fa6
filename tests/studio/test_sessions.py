"""Sessions of a real Gradio page: a session that has left is freed, and a failed upload leaves no file."""
import time
import weakref

import pytest
from coroutines import run_alone

pytest.importorskip("gradio", reason="needs gradio: pip install -r requirements-web.txt")

import gradio
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect

from core.studio.sessions import IDLE, MAX_UPLOADS, Refused, Sessions, Upload, Uploads


class Large:
    """An object that stands for something large in memory."""


@pytest.fixture()
def uploads(tmp_path):
    return Uploads(tmp_path, 1000)


@pytest.fixture()
def kept():
    """Return the list of weak references to the large objects that the page made."""
    return []


@pytest.fixture()
def page(uploads, kept):
    """Return a client of a page that keeps a large object for each session, and the Sessions of the page."""
    def keep(state):
        large = Large()
        kept.append(weakref.ref(large))
        return large

    with gradio.Blocks() as blocks:
        state = gradio.State()
        gradio.Button().click(keep, state, state)
    app = FastAPI()
    gradio.mount_gradio_app(app, blocks.queue(), path="/")
    with TestClient(app) as client:
        yield client, Sessions(blocks, uploads)


def click(client, session):
    """Click the page's button in a session, and wait until its event is done."""
    event = {"fn_index": 0, "session_hash": session, "data": [None]}
    assert client.post("/gradio_api/queue/join", json=event).status_code == 200
    answers = client.get(f"/gradio_api/queue/data?session_hash={session}").text
    assert "process_completed" in answers


def look(sessions, after):
    run_alone(sessions.forget_absent(time.monotonic() + after))


def test_only_the_objects_and_files_of_sessions_that_have_left_are_freed(page, kept, uploads, tmp_path):
    client, sessions = page
    for session in ("left", "here"):
        click(client, session)
        (tmp_path / session).mkdir()
        uploads.waiting[session] = Upload(str(tmp_path / session), time.monotonic(), session)
    look(sessions, after=0)   # the time of a session that never connected begins now
    look(sessions, after=IDLE - 5)
    assert all(reference() for reference in kept)
    with sessions.connected("here"):
        look(sessions, after=IDLE + 5)
    assert [reference() is None for reference in kept] == [True, False]
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    blocks = sessions.blocks
    assert "left" not in blocks.state_holder.session_data
    assert "left" not in blocks._queue.pending_messages_per_session
    click(client, "left")   # the session may come back
    assert kept[-1]() is not None


def test_a_session_is_present_until_its_last_connection_ends(page, kept):
    client, sessions = page
    click(client, "tab")
    with sessions.connected("tab"):
        with sessions.connected("tab"):
            pass
        look(sessions, after=IDLE + 5)
        assert kept[0]() is not None
    look(sessions, after=IDLE - 5)   # a short failure of the network is tolerated
    assert kept[0]() is not None
    look(sessions, after=IDLE + 5)
    assert kept[0]() is None


def test_the_statistics_of_a_sessions_events_are_freed(page):
    client, sessions = page
    click(client, "left")
    event = gradio.blocks.BlockFunction(print, [], [], True, True, None, None, None, None)
    times = sessions.blocks._queue.process_time_per_fn
    times[event].add(1)
    sessions.seen["left"] = 0
    look(sessions, after=0)
    assert event not in times
    assert len(times) == 1   # the event of the page itself stays


@pytest.fixture()
def send(uploads):
    """Return `send(**request)`: upload a request, return the answer."""
    app = FastAPI()

    @app.post("/")
    async def receive(request: Request):
        try:
            return [await uploads.receive(request)]
        except Refused as refusal:
            return PlainTextResponse(refusal.args[1], refusal.args[0])

    return lambda **request: TestClient(app).post("/", **request)


def test_a_file_uploaded_twice_gets_two_paths(send, uploads, tmp_path):
    first, second = (send(files={"files": ("../../cat.png", b"cat")}).json()[0] for _ in range(2))
    assert first != second
    for path in (first, second):
        assert path.startswith(f"{tmp_path}/")
        assert path.endswith("/cat.png")
        with open(path, "rb") as file:
            assert file.read() == b"cat"
    uploads.remove(first)
    assert len(list(tmp_path.iterdir())) == 1
    assert uploads.claim(second, "a")
    assert uploads.claim(second, "a")
    assert not uploads.claim(second, "b")
    assert not uploads.claim(first, "a")
    assert not uploads.claim(["x"], "a")


@pytest.mark.parametrize(("request_parts", "status"), [
    ({"files": {"files": ("cat.png", bytes(1001))}}, 413), ({"data": {"x": "y"}}, 400),
    ({"files": [("files", ("a.png", b"a")), ("files", ("b.png", b"b"))]}, 400),
    ({"files": {"x": ("a.png", b"a")}}, 400),
    ({"content": b"broken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400)])
def test_an_upload_that_is_refused_leaves_nothing(send, uploads, tmp_path, request_parts, status):
    assert send(**request_parts).status_code == status
    assert list(tmp_path.iterdir()) == []
    assert uploads.waiting == {}


def test_an_upload_that_breaks_off_leaves_nothing(uploads, tmp_path):
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="cat.png"\r\n\r\nhalf a c'
    messages = iter([{"type": "http.request", "body": head, "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}
    with pytest.raises(ClientDisconnect):
        run_alone(uploads.receive(Request(scope, receive)))
    assert list(tmp_path.iterdir()) == []


def test_unopened_uploads_are_removed_and_their_number_is_limited(page, send, uploads, tmp_path):
    for _ in range(MAX_UPLOADS):
        assert send(files={"files": ("cat.png", b"cat")}).status_code == 200
    assert send(files={"files": ("cat.png", b"cat")}).status_code == 503
    look(page[1], after=IDLE + 5)
    assert list(tmp_path.iterdir()) == []
    assert send(files={"files": ("cat.png", b"cat")}).status_code == 200
