"""Access control of the workbench: a guard checks the routes of requests and the values of events.

Gradio serves many routes that the page never uses, and passes all values of an event on unchecked: a file path in the
place of a request's text gave access to any file of the server. The guard opens only the page's own routes, for its own
hosts and origin, and passes on only numbers, text, and files that the session has uploaded.
"""
import asyncio
import json
import re
import socket
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, PlainTextResponse

ROUTES = re.compile(
    r"(GET|HEAD) /(config|theme\.css|favicon\.ico|(assets|static)/(?!.*\.\.)[\w./@-]+|download/[^/]+/[^/]+)?"
    r"|GET /gradio_api/(app_id|upload_progress|queue/data|heartbeat/[A-Za-z0-9]{1,40})"
    r"|POST /gradio_api/(upload|queue/join)")
SESSION = re.compile(r"[A-Za-z0-9]{1,40}")
MAX_EVENT = 2**16    # bytes; events of the page are far smaller
MAX_TEXT = 500       # characters of a request

# Gradio's page has inline scripts and styles, and compiles functions from strings.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' "
                               "'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; "
                               "base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CLOSING, LAG = b'"close_stream"', 0.05   # the last message of a stream; seconds in which the page handles it
LEFT = "This page had no connection for a while, and its photo was deleted; drop the photo again"


def own_hosts(host, others=()):
    """Return the host names that requests to a server at address `host` may use; other host names are refused.

    For a server that listens on all addresses, these include the machine's names and its outgoing address.
    """
    names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host, *others}
    if host in ("0.0.0.0", "::"):
        names |= {socket.gethostname(), socket.getfqdn()}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))   # sends nothing; the system selects the outgoing address
                names.add(probe.getsockname()[0])
            except OSError:
                pass   # there is no network
    return sorted(names)


class Guard:
    """ASGI middleware that refuses requests which the page never sends, and adds headers that isolate the page."""

    def __init__(self, app, sessions, max_upload):
        self.app, self.sessions = app, sessions
        self.limits = {"/gradio_api/upload": max_upload + MAX_EVENT, "/gradio_api/queue/join": MAX_EVENT}
        self.closed = {}   # session: when the last message of its stream was sent, for LAG seconds

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close"})
        headers = Headers(scope=scope)

        async def answer(message):
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if refusal := self._refusal(scope, headers):
            return await refusal(scope, receive, answer)
        session, reply = _session(scope), answer
        if scope["path"] == "/gradio_api/queue/join":
            session, event = self._event(await _body(receive))
            if not isinstance(event, dict):
                return await event(scope, receive, answer)
            receive, reply = _replay(json.dumps(event).encode(), scope, receive), self._late(session, answer)
        elif scope["path"] == "/gradio_api/queue/data":
            reply = self._noting(session, answer)
        if session is None:
            return await self.app(scope, receive, answer)
        with self.sessions.connected(session):
            await self.app(scope, receive, reply)

    def _noting(self, session, answer):
        """Return a `send` for a stream that notes when its last message is sent."""
        async def noting(message):
            if CLOSING in message.get("body", b""):
                now = time.monotonic()
                self.closed = {other: sent for other, sent in self.closed.items() if now < sent + LAG} | {session: now}
            await answer(message)
        return noting

    def _late(self, session, answer):
        """Return a `send` that answers an event only after the page has closed the stream of the event before.

        The page opens a stream for an event unless it has one. If it learns of an event while the last message of the
        old stream is on its way, it opens none, and never gets the event's result.
        """
        async def late(message):
            await asyncio.sleep(max(0.0, self.closed.get(session, 0.0) + LAG - time.monotonic()))
            await answer(message)
        return late

    def _refusal(self, scope, headers):
        """Return the response to a request that is not allowed, or None for an allowed request."""
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return PlainTextResponse("Another site may not use this page", 403)
        if not ROUTES.fullmatch(f"{scope['method']} {scope['path']}"):
            return PlainTextResponse("Not found", 404)
        if scope["method"] == "POST":
            length = headers.get("content-length", "")
            if not length.isdecimal():
                return PlainTextResponse("This request has no Content-Length", 411)
            if int(length) > self.limits[scope["path"]]:
                return PlainTextResponse("This request is larger than the page allows", 413)
        return None

    def _event(self, body):
        """Return (session, event) with known fields and checked values only, or (None, a refusal)."""
        try:
            sent = json.loads(body, parse_constant=float)
            session, index, values = sent["session_hash"], sent["fn_index"], sent["data"]
            if not (isinstance(session, str) and SESSION.fullmatch(session) and type(index) is int
                    and isinstance(values, list)):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            return None, _refused(400, "The page does not send this")
        inputs = self.sessions.inputs(session, index)
        if inputs is None:
            return None, _refused(404, LEFT)
        try:
            data = [self._value(block, value, session) for block, value in zip(inputs, values, strict=True)]
        except ValueError:
            return None, _refused(400, "The page does not send this")
        trigger = sent.get("trigger_id")
        return session, {"session_hash": session, "fn_index": index, "data": data,
                         "trigger_id": trigger if type(trigger) is int else None}

    def _value(self, block, value, session):
        """Return the checked value of a component. Raises ValueError if the value does not fit the component's kind."""
        kind = block.get_block_name()
        if kind == "state":
            return None   # the server keeps states
        if kind == "checkbox" and isinstance(value, bool):
            return value
        if kind == "slider" and type(value) in (int, float) and abs(value) < 1e6:   # false for NaN
            return value
        if kind == "textbox" and isinstance(value, str) and len(value) <= MAX_TEXT:
            return value
        if kind == "file" and isinstance(value, dict) and self.sessions.uploads.claim(value.get("path"), session):
            return {"path": value["path"], "meta": {"_type": "gradio.FileData"}}
        raise ValueError(kind)


def _refused(status, sentence):
    return JSONResponse({"detail": sentence}, status)   # Gradio's page shows it


def _session(scope):
    """Return the session of a request for a stream; None for other requests."""
    _, found, session = scope["path"].partition("/gradio_api/heartbeat/")
    if not found and scope["path"] == "/gradio_api/queue/data":
        session = QueryParams(scope["query_string"]).get("session_hash", "")
    return session if SESSION.fullmatch(session) else None


async def _body(receive):
    """Return the whole body of a request, whose length was checked before."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _replay(body, scope, receive):
    """Return a `receive` that first gives `body`; set the request's content-length to the length of `body`."""
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    scope["headers"].append((b"content-length", str(len(body)).encode()))
    messages = iter([{"type": "http.request", "body": body}])

    async def again():
        return next(messages, None) or await receive()

    return again
