"""The workbench in the browser: drop a photo, say what to do, move the sliders of the plan, take the files away.

  python core/demo_web.py                             # the planner that ships
  python core/demo_web.py --checkpoint output/RetouchReq_seq2seqL1_trial_101 --port 8000

Only this machine reaches the page unless --host says otherwise, and the page loads nothing from elsewhere.
"""
import functools
import os
import secrets
import signal
import socket
import tempfile
import weakref
from urllib.parse import quote

import _init_paths  # noqa: F401
from dominate import tags

from core.engine.cli import run
from core.engine.options import CHECKPOINT_HELP, Parser, number
from core.files import UserError
from core.methods.planner import PlannerMethod
from core.operators import TABLE
from core.pages.document import asset
from core.pages.steps import curves
from core.studio.workbench import Workbench, history, notice, picture

COMPARE = """<label>before
  <input type="range" min="0" max="100" value="0" aria-label="how much of the photo is shown as it was before"
         oninput="document.getElementById('photo').style.setProperty('--split', this.value + '%')">
after</label>"""
PLACEHOLDER = "make it brighter, then: a bit less, undo, or anything else"
JOB = {"concurrency_id": "photo", "concurrency_limit": 1, "api_visibility": "private"}
QUIET = JOB | {"show_progress": "hidden"}
FETCH = """href => { if (href) Object.assign(document.createElement("a"), {href, download: ""}).click(); }"""


def main():
    options = arguments().parse_args()
    with tempfile.TemporaryDirectory(prefix="ldie-uploads-") as uploads:
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": uploads}   # read at its import
        serve(options)


def serve(options):
    """Serve the page until the process is told to end. Raises UserError for a missing extra, checkpoint or port."""
    try:
        import gradio
        import uvicorn
        from fastapi import FastAPI
    except ImportError:
        raise UserError("the workbench needs the package gradio; install it with: pip install -r "
                        "requirements-web.txt") from None
    page = Page(gradio, PlannerMethod.of(options.checkpoint), options)
    app = FastAPI(openapi_url=None)
    app.add_api_route("/download/{token}/{name}", page.download)
    gradio.mount_gradio_app(
        app, page.build(), path="/", footer_links=[], run_history=False, show_error=False, ssr_mode=False,
        css=asset("workbench.css"), max_file_size=int(options.max_upload_mb * 2**20), theme=gradio.themes.Default(
            primary_hue="blue", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")))
    try:
        listening = socket.create_server((options.host, options.port))
    except OSError as error:
        raise UserError(f"--host {options.host} --port {options.port}: cannot be used ({error.strerror}); give "
                        "another --port") from None
    print(f"workbench: http://{options.host}:{listening.getsockname()[1]}  (Ctrl-C ends it)", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)   # leave as after Ctrl-C: no photo stays behind
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


class Page:
    """What is on the page, and what happens when something on it is used.

    All that reads or edits photos waits in one queue: decoding sets process-wide limits, and memory is for one photo.
    """

    def __init__(self, gradio, planner, options):
        self.gr, self.planner, self.max_pixels = gradio, planner, int(options.max_megapixels * 1e6)
        self.sources = weakref.WeakValueDictionary()   # token -> Source, for as long as somebody's bench has it

    def build(self):
        """Return the page as Gradio's Blocks."""
        gr = self.gr
        with gr.Blocks(title="LDIE workbench", fill_width=True, delete_cache=(3600, 3600)) as blocks:
            self.bench, self.layout = gr.State(), gr.State(0)
            gr.HTML("<h1>LDIE</h1><p>A photo and a request in plain words: an edit that you can read and change.</p>")
            with gr.Row():
                with gr.Column(scale=3):
                    with gr.Column(visible=False, elem_id="photo") as self.photo:
                        self.before, self.after = gr.HTML(), gr.HTML(elem_id="after")
                        gr.HTML(COMPARE)
                    self.drop = gr.File(label="Photo: JPEG, PNG, TIFF or WebP", elem_id="drop", height=140)
                with gr.Column(scale=2):
                    self.request = gr.Textbox(label="What to do", placeholder=PLACEHOLDER, max_length=500)
                    ask = gr.Button("Edit", variant="primary")
                    self.notice, self.history = gr.HTML(elem_id="notice"), gr.HTML(elem_id="history")
                    gr.render([self.bench], [self.layout.change], show_progress="hidden")(self._cards)
                    with gr.Row():
                        for label, write in (("photo", Workbench.write_photo), ("plan", Workbench.write_plan),
                                             ("LUT", Workbench.write_lut)):
                            button = gr.Button(f"Save {label}", size="sm", min_width=90)
                            link = gr.HTML(visible="hidden")   # one each, lest a second click replace the first's
                            button.click(functools.partial(self._take, write), self.bench, [link, self.notice],
                                         **JOB).then(None, link, js=FETCH)
            self.shown = [self.bench, self.layout, self.after, self.history, self.notice]
            self.drop.upload(self._open, [self.drop, self.layout],
                             [*self.shown, self.photo, self.before, self.drop], **JOB)
            gr.on([ask.click, self.request.submit], self._ask, [self.bench, self.layout, self.request],
                  [*self.shown, self.request], **JOB)
        return blocks.queue(max_size=64)

    def _show(self, change, layout):
        """Return what the page shows once `change()` has returned a new workbench; a mistake changes nothing."""
        try:
            bench = change()
        except (UserError, OSError) as error:
            return {self.notice: notice(error)}
        return {self.bench: bench, self.layout: layout + 1, self.after: picture(bench.edited(), "edited"),
                self.history: history(bench.history), self.notice: ""}

    def _open(self, path, layout):
        updates = self._show(lambda: Workbench.open(path, self.max_pixels), layout)
        if bench := updates.get(self.bench):
            updates |= {self.photo: self.gr.update(visible=True), self.before: picture(bench.source.preview, "before"),
                        self.notice: notice(*bench.source.notes)}
        return {**updates, self.drop: None}

    def _ask(self, bench, layout, request):
        updates = self._show(lambda: on(bench).ask(request, self.planner), layout)
        return updates | ({self.request: ""} if self.bench in updates else {})

    def _cards(self, bench):
        """The cards of the plan, made anew whenever their number or order changes."""
        for index, card in enumerate(bench.cards if bench else ()):
            with self.gr.Column(elem_classes="step"):
                self._card(index, card, last=index == len(bench.cards) - 1)

    def _card(self, index, card, last):
        """One card: whether it is carried out, its place, its slider, and the drawing of a tone curve."""
        gr, row, drawing = self.gr, TABLE[card.planned.op], None
        with gr.Row():
            switch = gr.Checkbox(card.on, label=f"{index + 1}. {row.name}", container=False, scale=4, min_width=120,
                                 interactive=True)
            for sign, place, end in (("↑", index - 1, index == 0), ("↓", index, last)):
                gr.Button(sign, size="sm", scale=0, min_width=40, interactive=not end).click(
                    lambda bench, layout, place=place: self._show(lambda: bench.swap(place), layout),
                    [self.bench, self.layout], self.shown, **JOB)
        switch.input(lambda bench, on: self._adjust(bench.switch(index, on)), [self.bench, switch],
                     [self.bench, self.after], trigger_mode="always_last", **QUIET)
        if card.bounds is None:
            gr.HTML(tags.small(row.about).render())
            return
        low, high, _ = card.bounds
        with gr.Row():
            if row.structure == "curve":
                drawing = gr.HTML(curves(card.step.params).render(), scale=0, min_width=90)
            label = row.about if row.n_params == 1 else f"{row.about}: strength"
            slider = gr.Slider(low, high, round(card.value, 2), step=0.01, label=label, buttons=[],
                               interactive=True)
        slider.input(lambda bench, value: self._adjust(bench.move(index, value), index, drawing),
                     [self.bench, slider], [self.bench, self.after, *([drawing] if drawing else [])],
                     trigger_mode="always_last", **QUIET)

    def _adjust(self, bench, index=None, drawing=None):
        """Return what follows a slider or a switch; the cards themselves stay, so a drag is not interrupted."""
        updates = {self.bench: bench, self.after: picture(bench.edited(), "edited")}
        return updates | ({drawing: curves(bench.cards[index].step.params).render()} if drawing else {})

    def _take(self, write, bench):
        """Write a file, and hand out its address for as long as the photo is on the bench."""
        try:
            path, notes = write(on(bench))
        except (UserError, OSError) as error:
            return "", notice(error)   # no address, no download
        token = secrets.token_urlsafe()
        self.sources[token] = bench.source
        return f"download/{token}/{quote(path.name)}", notice(*notes)

    def download(self, token: str, name: str):
        """Serve a file that was written for somebody who knows its token."""
        from fastapi.responses import FileResponse, PlainTextResponse
        source = self.sources.get(token)
        if source is None or not (path := source.path.with_name(name)).is_file():
            return PlainTextResponse("This file is gone; ask for it again on the page.", status_code=404)
        return FileResponse(path, filename=name)


def on(bench):
    """Return the workbench, if a photo lies on it."""
    if bench is None:
        raise UserError("Drop a photo first")
    return bench


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=number(int, 0, 65535), default=7860, help="0 takes any free one")
    parser.add_argument("--max_megapixels", type=number(float, 0), default=60, help="refuse larger photos")
    parser.add_argument("--max_upload_mb", type=number(float, 0), default=100, help="refuse larger files")
    return parser


if __name__ == "__main__":
    run(main)
