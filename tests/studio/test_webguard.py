"""The guard of the workbench's page: only its own routes, hosts, origin and kinds of values are let in."""
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
    """Return a stand-in for a Gradio page with one event, of index 3, whose inputs have these kinds."""
    event = SimpleNamespace(fn=print, inputs=[component(kind) for kind in kinds])
    return SimpleNamespace(fns={3: event, 4: SimpleNamespace(fn=None, inputs=[])},
                           state_holder=SimpleNamespace(session_data={}))


@pytest.fixture()
def ask():
    """Return `ask(method, path, kinds=(), uploads=None, **request)`: the answer and the event that the guard let in."""
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
def test_requests_of_the_page_are_answered_with_security_headers(ask, path):
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
def test_other_routes_are_refused(ask, method, path):
    answer, _ = ask(method, path)
    assert answer.status_code == 404
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:7861", "null", "http://127.0.0.1", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", UPLOAD), ("POST", JOIN), ("GET", "/"), ("OPTIONS", JOIN)])
def test_other_origins_are_refused(ask, method, path, origin):
    assert ask(method, path, headers={"Origin": origin})[0].status_code == 403


def test_the_pages_origin_and_a_missing_origin_are_accepted(ask):
    for headers in ({"Origin": "http://127.0.0.1:7860"}, {}):
        assert ask("POST", JOIN, headers=headers, **event())[0].status_code == 200


@pytest.mark.parametrize(("path", "size"), [(JOIN, MAX_EVENT + 1), (UPLOAD, MAX_EVENT + 1001)])
def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(ask, path, size):
    assert ask("POST", path, content=bytes(size))[0].status_code == 413
    assert ask("POST", path, content=iter([b"{}"]))[0].status_code == 411


def test_a_server_for_other_machines_accepts_its_own_host_names(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "studio")
    assert {"localhost", "127.0.0.1", "[::1]", "proxy.example"} == set(own_hosts("127.0.0.1", ["proxy.example"]))
    assert "[fe80::1]" in own_hosts("fe80::1")
    assert "studio" in own_hosts("0.0.0.0")
    assert "studio" not in own_hosts("127.0.0.1")


# Values

FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(("kind", "value"), [
    ("textbox", "make it brighter"), ("textbox", ""), ("slider", 0.5), ("slider", 1), ("checkbox", True)])
def test_values_of_the_right_kind_are_let_in(ask, kind, value):
    _, came = ask("POST", JOIN, (kind,), **event(value, event_data=FILE, simple_format=True, batched=True))
    assert came == {"fn_index": 3, "session_hash": "abc", "data": [value], "trigger_id": 9}


@pytest.mark.parametrize("kind", ["textbox", "slider", "checkbox", "file", "html", "image"])
@pytest.mark.parametrize("value", [
    FILE, [FILE], {"value": FILE}, {"path": "http://127.0.0.1/"}, {"path": ["/etc/passwd"]}, {}, [], "/etc/passwd",
    10**400, "x" * (MAX_TEXT + 1), None])
def test_values_of_another_kind_are_refused(ask, kind, value):
    if not (kind == "textbox" and value == "/etc/passwd"):   # a path in a textbox is only text
        assert ask("POST", JOIN, (kind,), **event(value))[0].status_code == 400


@pytest.mark.parametrize(("kind", "text"), [("slider", "NaN"), ("slider", "Infinity"), ("slider", "true"),
                                            ("checkbox", "1"), ("slider", '"1"')])
def test_values_of_a_wrong_json_type_or_that_are_not_finite_are_refused(ask, kind, text):
    body = json.dumps({"fn_index": 3, "session_hash": "abc", "data": ["HERE"]}).replace('"HERE"', text)
    assert ask("POST", JOIN, (kind,), content=body.encode())[0].status_code == 400


def test_the_state_never_comes_from_the_request(ask):
    assert ask("POST", JOIN, ("state",), **event(FILE))[1]["data"] == [None]


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b"[" * 60_000, b"\xff", b'{"fn_index": 3}',
    *(json.dumps({"fn_index": 3, "session_hash": "abc", "data": [], **wrong}).encode() for wrong in (
        {"fn_index": "3"}, {"fn_index": True}, {"fn_index": None}, {"session_hash": "../x"}, {"session_hash": None},
        {"session_hash": "a" * 41}, {"data": {}}, {"data": [1]}))])
def test_malformed_events_are_refused(ask, body):
    assert ask("POST", JOIN, content=body)[0].status_code == 400


@pytest.mark.parametrize("index", [4, 5, -1])
def test_events_that_the_session_lacks_are_refused_with_a_message(ask, index):
    answer, _ = ask("POST", JOIN, **event(fn_index=index))
    assert (answer.status_code, answer.json()) == (404, {"detail": LEFT})


def test_only_the_session_that_sent_a_file_can_open_it(ask):
    uploads = Uploads("", 1000)
    uploads.waiting["/tmp/x/cat.png"] = Upload("/tmp/x", 0)
    sent = {"path": "/tmp/x/cat.png", "url": "http://evil.example/", "orig_name": "../../x", "is_stream": True}
    _, came = ask("POST", JOIN, ("file",), uploads, **event(sent))
    assert came["data"] == [{"path": "/tmp/x/cat.png", "meta": {"_type": "gradio.FileData"}}]
    assert ask("POST", JOIN, ("file",), uploads, **event(sent, session_hash="other"))[0].status_code == 400
    assert ask("POST", JOIN, ("file",), uploads, **event(sent))[0].status_code == 200


def test_an_event_is_answered_after_the_page_has_closed_the_stream_of_the_event_before(monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
    monkeypatch.setattr("core.studio.webguard.asyncio.sleep", sleep)

    async def behind(scope, receive, respond):
        await respond({"type": "http.response.start", "status": 200, "headers": []})
        await respond({"type": "http.response.body", "body": b'data: {"msg":"close_stream"}'})
    client = TestClient(Guard(behind, Sessions(page("checkbox"), Uploads("", 1000)), 1000),
                        base_url="http://127.0.0.1:7860")
    for stream, held in ((None, False), ("other", False), ("abc", True)):
        if stream:
            assert client.get(f"/gradio_api/queue/data?session_hash={stream}").status_code == 200
        waits.clear()
        assert client.post(JOIN, **event(True)).status_code == 200
        assert (max(waits) > 0) == held


def test_no_websocket_is_opened():
    sent = []

    async def send(message):
        sent.append(message["type"])

    run_alone(Guard(None, None, 0)({"type": "websocket"}, None, send))
    assert sent == ["websocket.close"]
