"""The workbench in the browser: drop a photo, ask for an edit, move the sliders of the plan, save the files.

  python core/demo_web.py                             # the planner that ships
  python core/demo_web.py --checkpoint output/RetouchReq_seq2seqL1_trial_101 --port 8000

Only this machine can open the page, unless --host is given, and the page loads nothing from other servers. A photo is
deleted less than a minute after its page is closed.
"""
import contextlib
import functools
import os
import secrets
import signal
import socket
import sys
import threading
import weakref
from urllib.parse import quote

import _init_paths  # noqa: F401
from dominate import tags

from core.engine.cli import run
from core.engine.options import CHECKPOINT_HELP, Parser, number
from core.files import UserError, passing_folder
from core.methods.gate import Gate
from core.methods.local import LocalGate
from core.methods.planner import PlannerMethod
from core.operators import TABLE
from core.pages.document import asset
from core.pages.steps import parameters
from core.studio.jobs import limits
from core.studio.sessions import Refused, Sessions, Uploads, swept
from core.studio.workbench import Workbench, history, notice, region

COMPARE = """<input type="range" min="0" max="100" value="100" dir="rtl"
  aria-label="per cent of the photo that show the edit"
  oninput="document.getElementById('photo').style.setProperty('--after', this.value + '%')">"""
PLACEHOLDER = "make it brighter, then: a bit less, undo, or anything else"
LIBRARIES = ("core.studio.workbench",)   # modules that read and write photos

# Reading and writing a full-size photo takes long, so events that use only its preview have a separate queue.
PHOTO = {"concurrency_id": "photo", "concurrency_limit": 1, "api_visibility": "private"}
PREVIEW = {"concurrency_id": "preview", "concurrency_limit": 2, "api_visibility": "private"}
QUIET = PREVIEW | {"show_progress": "hidden"}
BUSY = "() => `<p role=status>Saving the {} ... <progress></progress></p>`"
FILES = (("photo", Workbench.write_photo, PHOTO), ("plan", Workbench.write_plan, PREVIEW),
         ("LUT", Workbench.write_lut, PHOTO))
FETCH = """link => Object.assign(document.createElement("p"), {innerHTML: link}).querySelector("a")?.click()"""


def main():
    options = arguments().parse_args()
    with passing_folder("ldie-web-") as folder:
        os.environ |= {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False",
                       "GRADIO_ANALYTICS_MAX_EVENTS": "1"}   # Gradio reads these when it is imported
        try:
            serve(options, folder)
        except KeyboardInterrupt:
            print("the workbench has ended", flush=True)
            raise SystemExit(130) from None


def serve(options, folder):
    """Serve the page until the process is told to end. Raises UserError for a missing extra, checkpoint or port.

    Args: `folder`, the folder for uploads.
    """
    try:
        import gradio
        import uvicorn

        from core.studio.worker import Worker
    except ImportError:
        raise UserError("the workbench needs the packages gradio and pebble; install them with: pip install -r "
                        "requirements-web.txt") from None
    print("the workbench is loading ...", file=sys.stderr, flush=True)
    planner = LocalGate(Gate(PlannerMethod.of(options.checkpoint)))
    try:
        listening = socket.create_server((options.host, options.port))
    except OSError as error:
        raise UserError(f"--host {options.host} --port {options.port}: cannot be used ({error.strerror}); give "
                        "another --port") from None
    uploads = Uploads(folder, int(options.max_upload_mb * 2**20))
    # Saving a photo needs memory for three floating-point copies, the samples, the file, and buffers of encoders.
    memory = 2**28 + int(options.max_megapixels * 1e6) * 64
    with contextlib.closing(Worker(options.max_seconds, memory, LIBRARIES)) as worker:
        app = guarded(Page(gradio, planner, worker, uploads, limits(options)), options)
        print(f"workbench: http://{options.host}:{listening.getsockname()[1]}  (Ctrl-C ends it)", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)   # end as on Ctrl-C: no photo is left on the disk
        config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=2,
                                timeout_keep_alive=75)   # seconds; a browser reports an error on a closed connection
        uvicorn.Server(config).run([listening])


def guarded(page, options):
    """Return the web application: the page behind a guard, with our own routes for uploads and downloads."""
    from fastapi import FastAPI, Request
    from fastapi.responses import FileResponse, PlainTextResponse
    from gradio import mount_gradio_app, themes
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from core.studio.webguard import Guard, own_hosts
    blocks = page.build()
    sessions = Sessions(blocks, page.uploads)
    app = FastAPI(openapi_url=None, lifespan=lambda app: swept(sessions))

    @app.post("/gradio_api/upload")
    async def upload(request: Request, upload_id: str | None = None):
        try:
            return [await page.uploads.receive(request, upload_id)]
        except Refused as refusal:
            return PlainTextResponse(refusal.args[1], refusal.args[0])

    @app.get("/download/{token}/{name}")
    def download(token: str, name: str):
        if path := page.written(token, name):
            return FileResponse(path, filename=name)
        return PlainTextResponse("This file is gone; ask for it again on the page.", 404)

    mount_gradio_app(
        app, blocks, path="/", footer_links=[], run_history=False, show_error=False, ssr_mode=False,
        css=asset("workbench.css"), max_file_size=page.uploads.max_bytes, theme=themes.Default(
            primary_hue="blue", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")))
    blocks.has_launched = True   # before launch Gradio copies any file named in an event; mounting does not set it
    app.add_middleware(Guard, sessions=sessions, max_upload=page.uploads.max_bytes)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=own_hosts(options.host, options.allow_host),
                       www_redirect=False)
    return app


class Desk:
    """Holds a session's workbench. Change the workbench only under the lock: two events of a session may overlap."""

    def __init__(self):
        self.lock, self.bench = threading.Lock(), None

    def __deepcopy__(self, memo):
        return Desk()   # Gradio copies the initial state for each session


class Page:
    """The components of the page and their event handlers."""

    def __init__(self, gradio, planner, worker, uploads, limits):
        self.gr, self.planner, self.worker, self.uploads, self.limits = gradio, planner, worker, uploads, limits
        self.sources = weakref.WeakValueDictionary()   # token -> Source, as long as a workbench uses it

    def build(self):
        """Return the page as Gradio's Blocks."""
        gr = self.gr
        with gr.Blocks(title="LDIE workbench", fill_width=True) as blocks:
            self.desk, self.layout = gr.State(Desk()), gr.State(0)
            gr.HTML("<h1>LDIE</h1><p>Edit a photo by a request in plain words; read and change the plan.</p>")
            with gr.Row(elem_id="bench"):
                with gr.Column(scale=3):
                    with gr.Column(elem_id="stage"):
                        with gr.Column(visible=False, elem_id="photo") as self.photo:
                            self.before, self.after = gr.HTML(elem_id="before"), gr.HTML(elem_id="after")
                        self.notice = gr.HTML(elem_id="notice")
                        busy = [gr.HTML(elem_classes="busy") for _ in FILES]
                    self.drop = gr.File(label="Photo: JPEG, PNG, TIFF or WebP", elem_id="drop", height=140)
                with gr.Column(scale=2):
                    self.request = gr.Textbox(label="What to do", placeholder=PLACEHOLDER, max_length=500)
                    ask = gr.Button("Edit", variant="primary")
                    self.history = gr.HTML(elem_id="history")
                    gr.render([self.desk], [self.layout.change], show_progress="hidden")(self._cards)
                    with gr.Row():
                        for file, shown in zip(FILES, busy, strict=True):
                            self._save_button(*file, shown)
            self.shown = [self.layout, self.after, self.history, self.notice]
            self.drop.upload(self._open, [self.desk, self.layout, self.drop],
                             [*self.shown, self.photo, self.before, self.drop],
                             preprocess=False, **PHOTO)   # Gradio's preprocessing leaves an empty file each time
            gr.on([ask.click, self.request.submit], self._ask, [self.desk, self.layout, self.request],
                  [*self.shown, self.request], **PREVIEW)
        blocks.queue(max_size=256)
        blocks._queue.sleep_when_free = 0.01   # seconds between polls; by default 1000 a second, a tenth of a core
        return blocks

    def _save_button(self, label, write, queue, busy):
        """Add a button that shows progress at once, writes a file and starts its download."""
        button = self.gr.Button(f"Save {label}", size="sm", min_width=90)
        button.click(None, None, busy, js=BUSY.format(label))
        button.click(functools.partial(self._take, write), self.desk, [busy, self.notice],
                     show_progress="hidden", **queue).then(None, busy, js=FETCH)

    def _show(self, desk, layout, change):
        """Replace the workbench by `change(bench)` and return the page's updates; an error only updates the notice."""
        try:
            with desk.lock:
                bench = desk.bench = change(desk.bench)
                after = bench.shown()
        except (UserError, OSError) as error:
            return {self.notice: notice(error)}
        return {self.layout: layout + 1, self.after: after, self.history: history(bench.history), self.notice: ""}

    def _open(self, desk, layout, file):
        """Open an uploaded photo on a new workbench, and return the page's updates."""
        try:
            bench = Workbench.open(file["path"], **self.limits, job=self.worker)
        except (UserError, OSError) as error:
            return {self.notice: notice(error), self.drop: None}
        finally:
            self.uploads.remove(file["path"])
        updates = self._show(desk, layout, lambda before: bench)
        return updates | {self.photo: self.gr.update(visible=True), self.drop: None,
                          self.before: bench.source.shown + COMPARE,
                          self.notice: notice(*bench.source.notes)}

    def _ask(self, desk, layout, request):
        updates = self._show(desk, layout, lambda bench: on(bench).ask(request, self.planner))
        return updates | ({self.request: ""} if self.after in updates else {})

    def _cards(self, desk):
        """Build the cards of the plan; Gradio calls this again whenever their number or order changes."""
        gr, cards = self.gr, desk.bench.cards if desk.bench else ()
        for index, card in enumerate(cards):
            with gr.Column(elem_classes="step"):
                if card.planned.mask:
                    gr.HTML(region(desk.bench.source, card.planned.mask))
                self._card(index, card, last=index == len(cards) - 1)

    def _card(self, index, card, last):
        """Build one card: its switch, its buttons for moving, and its slider.

        Beside the slider of several parameters stands a drawing of them, such as a tone curve.
        """
        gr, row, drawing = self.gr, TABLE[card.planned.op], None
        with gr.Row():
            switch = gr.Checkbox(card.on, label=f"{index + 1}. {row.label}", container=False, scale=4, min_width=120,
                                 interactive=True)
            for sign, place, end in (("↑", index - 1, index == 0), ("↓", index, last)):
                gr.Button(sign, size="sm", scale=0, min_width=40, interactive=not end).click(
                    lambda desk, layout, place=place: self._show(desk, layout, lambda bench: on(bench).swap(place)),
                    [self.desk, self.layout], self.shown, **PREVIEW)
        switch.input(lambda desk, value: self._adjust(desk, lambda bench: on(bench).switch(index, value)),
                     [self.desk, switch], [self.after, self.notice], trigger_mode="always_last", **QUIET)
        if card.bounds is None:
            gr.HTML(tags.small(row.about).render())
            return
        low, high, _ = card.bounds
        with gr.Row():
            if row.n_params > 1:
                drawing = gr.HTML(drawn(card), scale=0 if row.curves else 1, min_width=90)
            label = row.about if row.n_params == 1 else f"{row.about}: strength"
            slider = gr.Slider(low, high, round(card.value, 2), step=0.01, label=label, buttons=[],
                               interactive=True)
        slider.input(lambda desk, value: self._adjust(desk, lambda bench: on(bench).move(index, value), index, drawing),
                     [self.desk, slider], [self.after, self.notice, *([drawing] if drawing else [])],
                     trigger_mode="always_last", **QUIET)

    def _adjust(self, desk, change, index=None, drawing=None):
        """Return the updates for a slider or a switch; the cards are not rebuilt, so a drag is not interrupted."""
        updates = self._show(desk, 0, change)
        if self.after not in updates:
            return updates   # a notice of the error
        shape = {drawing: drawn(desk.bench.cards[index])} if drawing else {}
        return {self.after: updates[self.after], **shape}

    def _take(self, write, desk):
        """Write a file; return a download link, which works as long as the photo is open, and notices."""
        try:
            bench = on(desk.bench)
            path, notes = write(bench, job=self.worker)
        except (UserError, OSError) as error:
            return "", notice(error)   # no link, no download
        token = secrets.token_urlsafe()
        self.sources[token] = bench.source
        return tags.a(href=f"download/{token}/{quote(path.name)}", download="").render(), notice(*notes)

    def written(self, token, name):
        """Return the path of a written file for its download token, or None if either is gone."""
        source = self.sources.get(token)
        path = source and source.path.with_name(name)
        return path if path and path.is_file() else None


def drawn(card):
    """Return a drawing of the parameters of a card's step as HTML."""
    return parameters(card.step.op, card.step.params).render()


def on(bench):
    """Return the workbench. Raises UserError if no photo is open."""
    if bench is None:
        raise UserError("Drop a photo first; an earlier photo is deleted when its page is closed or left")
    return bench


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 admits other machines")
    parser.add_argument("--allow_host", nargs="+", default=[], metavar="NAME", help="further host names that browsers "
                        "may use for the page, such as a proxy's; other host names are refused")
    parser.add_argument("--port", type=number(int, 0, 65535), default=7860, help="port; 0 chooses a free one")
    parser.add_argument("--max_upload_mb", type=number(float, 0), default=100, help="refuse larger files")
    parser.add_argument("--max_megapixels", type=number(float, 0), default=60, help="refuse larger photos")
    parser.add_argument("--max_decoded_mb", type=number(float, 0), default=256, help="refuse photos that need more "
                        "when decoded: pixels x channels x bytes per sample")
    parser.add_argument("--max_seconds", type=number(float, 0), default=120, help="seconds after which reading or "
                        "writing a photo is stopped")
    return parser


if __name__ == "__main__":
    run(main)
