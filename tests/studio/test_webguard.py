"""The guard of the workbench's page: its own routes, hosts, origin and kinds of values come in, and nothing else."""
import json
from types import SimpleNamespace

import pytest
from coroutines import run_alone

pytest.importorskip("starlette", reason="needs gradio: pip install -r requirements-web.txt")

from starlette.testclient import TestClient

from core.studio.sessions import Sessions, Upload, Uploads
from core.studio.webguard import HEADERS, LEFT, MAX_EVENT, MAX_TEXT, Guard, own_hosts

JOIN, UPLOAD = "/gradio_api/queue/join", "/gradio_api/upload"


def component(kind):
    return SimpleNamespace(get_block_name=lambda: kind)


def page(*kinds):
    """What the guard knows of a page with one event, whose index is 3 and whose inputs are of these kinds."""
    event = SimpleNamespace(fn=print, inputs=[component(kind) for kind in kinds])
    return SimpleNamespace(fns={3: event, 4: SimpleNamespace(fn=None, inputs=[])},
                           state_holder=SimpleNamespace(session_data={}))


@pytest.fixture()
def ask():
    """Return `ask(method, path, kinds=(), uploads=None, **request)`: the answer, and the event that came through."""
    def send(method, path, kinds=(), uploads=None, **request):
        seen = []

        async def behind(scope, receive, respond):
            body = (await receive()).get("body", b"")
            seen.append(json.loads(body) if scope["path"] == JOIN else scope["path"])
            await respond({"type": "http.response.start", "status": 200, "headers": []})
            await respond({"type": "http.response.body", "body": b"page"})

        guard = Guard(behind, Sessions(page(*kinds), uploads or Uploads("", 1000)), max_upload=1000)
        answer = TestClient(guard, base_url="http://127.0.0.1:7860").request(method, path, **request)
        assert (answer.status_code == 200) == bool(seen)
        return answer, seen[0] if seen else None
    return send


def event(*data, **fields):
    return {"json": {"fn_index": 3, "session_hash": "abc", "data": list(data), "trigger_id": 9, **fields}}


# Requests

@pytest.mark.parametrize("path", [
    "/", "/config", "/theme.css?v=1", "/assets/index-D.js", "/static/img/logo.svg", "/download/token/cat_edited.png",
    "/gradio_api/heartbeat/abc", "/gradio_api/queue/data?session_hash=abc", "/gradio_api/upload_progress?upload_id=1"])
def test_what_the_page_asks_for_comes_through_with_headers(ask, path):
    answer, _ = ask("GET", path)
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/gradio_api/openapi.json"), ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/file=/etc/passwd"), ("GET", "/gradio_api/file/etc/passwd"), ("GET", "/gradio_api/proxy=x"),
    ("GET", "/static/../../../etc/passwd"), ("GET", "/static/%2e%2e/%2e%2e/etc/passwd"), ("GET", "/monitoring"),
    ("GET", "/download/token/..%2f..%2fetc%2fpasswd"), ("GET", "/gradio_api/queue/join"), ("DELETE", "/"),
    ("POST", "/gradio_api/run/_ask"), ("POST", "/gradio_api/api/_ask"), ("POST", "/gradio_api/call/_ask"),
    ("POST", "/gradio_api/call/v2/_ask"), ("POST", "/gradio_api/component_server"), ("POST", "/gradio_api/cancel"),
    ("POST", "/gradio_api/stream/1"), ("POST", "/gradio_api/process_recording"), ("POST", "/login"), ("POST", "/")])
def test_other_routes_are_closed(ask, method, path):
    answer, _ = ask(method, path)
    assert answer.status_code == 404
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:7861", "null", "http://127.0.0.1", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", UPLOAD), ("POST", JOIN), ("GET", "/"), ("OPTIONS", JOIN)])
def test_other_origins_are_refused(ask, method, path, origin):
    assert ask(method, path, headers={"Origin": origin})[0].status_code == 403


def test_the_own_origin_and_none_are_welcome(ask):
    for headers in ({"Origin": "http://127.0.0.1:7860"}, {}):
        assert ask("POST", JOIN, headers=headers, **event())[0].status_code == 200


@pytest.mark.parametrize(("path", "size"), [(JOIN, MAX_EVENT + 1), (UPLOAD, MAX_EVENT + 1001)])
def test_what_is_too_large_or_of_unknown_length_is_refused(ask, path, size):
    assert ask("POST", path, content=bytes(size))[0].status_code == 413
    assert ask("POST", path, content=iter([b"{}"]))[0].status_code == 411


def test_a_server_for_others_knows_its_own_names(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "studio")
    assert {"localhost", "127.0.0.1", "[::1]", "proxy.example"} == set(own_hosts("127.0.0.1", ["proxy.example"]))
    assert "[fe80::1]" in own_hosts("fe80::1")
    assert "studio" in own_hosts("0.0.0.0")
    assert "studio" not in own_hosts("127.0.0.1")


# Values

FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(("kind", "value"), [
    ("textbox", "make it brighter"), ("textbox", ""), ("slider", 0.5), ("slider", 1), ("checkbox", True)])
def test_values_of_the_right_kind_come_through(ask, kind, value):
    _, came = ask("POST", JOIN, (kind,), **event(value, event_data=FILE, simple_format=True, batched=True))
    assert came == {"fn_index": 3, "session_hash": "abc", "data": [value], "trigger_id": 9}


@pytest.mark.parametrize("kind", ["textbox", "slider", "checkbox", "file", "html", "image"])
@pytest.mark.parametrize("value", [
    FILE, [FILE], {"value": FILE}, {"path": "http://127.0.0.1/"}, {"path": ["/etc/passwd"]}, {}, [], "/etc/passwd",
    10**400, "x" * (MAX_TEXT + 1), None])
def test_values_of_another_kind_are_refused(ask, kind, value):
    if not (kind == "textbox" and value == "/etc/passwd"):   # which is text, and stays it
        assert ask("POST", JOIN, (kind,), **event(value))[0].status_code == 400


@pytest.mark.parametrize(("kind", "text"), [("slider", "NaN"), ("slider", "Infinity"), ("slider", "true"),
                                            ("checkbox", "1"), ("slider", '"1"')])
def test_numbers_are_numbers(ask, kind, text):
    body = json.dumps({"fn_index": 3, "session_hash": "abc", "data": ["HERE"]}).replace('"HERE"', text)
    assert ask("POST", JOIN, (kind,), content=body.encode())[0].status_code == 400


def test_the_state_is_the_servers(ask):
    assert ask("POST", JOIN, ("state",), **event(FILE))[1]["data"] == [None]


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b"[" * 60_000, b"\xff", b'{"fn_index": 3}',
    *(json.dumps({"fn_index": 3, "session_hash": "abc", "data": [], **wrong}).encode() for wrong in (
        {"fn_index": "3"}, {"fn_index": True}, {"fn_index": None}, {"session_hash": "../x"}, {"session_hash": None},
        {"session_hash": "a" * 41}, {"data": {}}, {"data": [1]}))])
def test_malformed_events_are_refused(ask, body):
    assert ask("POST", JOIN, content=body)[0].status_code == 400


@pytest.mark.parametrize("index", [4, 5, -1])
def test_events_that_the_session_does_not_have_are_refused_in_words(ask, index):
    answer, _ = ask("POST", JOIN, **event(fn_index=index))
    assert (answer.status_code, answer.json()) == (404, {"detail": LEFT})


def test_a_file_is_opened_by_the_session_that_sent_it_only(ask):
    uploads = Uploads("", 1000)
    uploads.waiting["/tmp/x/cat.png"] = Upload("/tmp/x", 0)
    sent = {"path": "/tmp/x/cat.png", "url": "http://evil.example/", "orig_name": "../../x", "is_stream": True}
    _, came = ask("POST", JOIN, ("file",), uploads, **event(sent))
    assert came["data"] == [{"path": "/tmp/x/cat.png", "meta": {"_type": "gradio.FileData"}}]
    assert ask("POST", JOIN, ("file",), uploads, **event(sent, session_hash="other"))[0].status_code == 400
    assert ask("POST", JOIN, ("file",), uploads, **event(sent))[0].status_code == 200


def test_no_websocket_is_opened():
    sent = []

    async def send(message):
        sent.append(message["type"])

    run_alone(Guard(None, None, 0)({"type": "websocket"}, None, send))
    assert sent == ["websocket.close"]
