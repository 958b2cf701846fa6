"""The workbench behind the page in the browser: a plan as cards with sliders, follow-up requests, and files to save.

A Workbench is immutable: every action returns a new Workbench, so a failed action loses nothing, and "undo" returns the
previous one. Previews are small; the photo is read again at full size when the user saves a file.

    bench = Workbench.open("photo.jpg")
    bench = bench.ask("make it brighter", planner).ask("a bit less", planner).move(0, 0.2)
    path, notes = bench.write_photo()              # the same file as from core/edit.py for this photo and plan
"""
import base64
import contextlib
import io
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from dominate import tags
from PIL import Image

from core.datasets import to_uint8, tokenize
from core.engine.options import Parser
from core.exports import export
from core.files import UserError
from core.filters import preview
from core.operators import TABLE, Plan, Step, execute
from core.operators.changes import scale
from core.photo import MAX_BYTES, MAX_PIXELS, check_output, from_tensor, read_photo
from core.photo.profile import SRGB, Space, in_srgb, unit
from core.studio.flags import add_output_flags
from core.studio.jobs import edit_photo, suffix_of
from core.studio.masks import overlay

PREVIEW = 1000       # pixels of the preview's long edge; JPEGs of 4000 pixels are decoded at a quarter of their size
SMALL = "small.npy"  # file of the preview beside the photo: (H, W, 3), uint8 or uint16 like the photo's samples
REGION = 200         # pixels: long edge of the picture of a step's region
MAX_STRENGTH = 2.0   # of operators with several parameters, which have one slider for the strength
MAX_CARDS = 60       # largest number of steps of a plan: each preview executes all steps
MAX_TURNS = 200      # largest number of requests in a history: every state is kept for "undo"

# A follow-up of only these words moves the last answer's steps away from neutral or towards neutral, by a factor:
# "more" is x 1.5, "a bit less" is / 1.2. Any other text is a new request.
DIRECTIONS = {"more": 1, "stronger": 1, "not enough": 1, "too little": 1, "too weak": 1,
              "less": -1, "weaker": -1, "too much": -1, "too strong": -1}
AMOUNTS = {"": 1.5, **dict.fromkeys(("bit", "little", "little bit", "slightly", "touch", "tad"), 1.2),
           **dict.fromkeys(("much", "lot", "far", "way", "even much"), 2.0), "even": 1.5}
UNDO = {"undo", "back", "go back", "revert", "take back"}
THERE = {"there"}   # the region of the last answer
_FILLERS = {"please", "just", "now", "again", "it", "that", "this", "but", "and", "make", "do", "is", "was", *THERE}


def degree_of(request):
    """Return the factor of a follow-up that consists of degree words only, such as 2 for "a lot more", else None."""
    words = f" {_without_fillers(request)} "
    for phrase, sign in DIRECTIONS.items():
        before, found, after = words.partition(f" {phrase} ")
        factor = AMOUNTS.get(f"{before} {after}".strip()) if found else None
        if factor:
            return factor ** sign
    return None


def is_undo(request):
    """Return whether a follow-up takes the last request back."""
    return _without_fillers(request) in UNDO


def _without_fillers(request):
    return " ".join(word for word in tokenize(request) if word not in _FILLERS)


def here(function, *args):
    """Run a job in this process; `core.studio.worker.Worker` runs jobs in another process instead."""
    return function(*args)


@dataclass(frozen=True)
class Card:
    """A step on the page: the planned step, the position of its slider, and whether the step is switched on.

    `value` is the parameter of an operator with one parameter, the strength (1: as planned) of an operator with
    several, such as a tone curve, and None for an operator without parameters or one that changes the size. `turn` is
    the index of the request that added the step.
    """

    planned: Step
    value: float | None
    on: bool = True
    turn: int = 0

    @classmethod
    def of(cls, step, turn=0):
        """Return the card of a planned step."""
        if not step.params or TABLE[step.op].resizes:
            return cls(step, None, turn=turn)
        return cls(step, step.params[0] if len(step.params) == 1 else 1.0, turn=turn)

    @property
    def bounds(self):
        """The slider's (low, high, neutral); None for a card without a slider."""
        if self.value is None:
            return None
        params = TABLE[self.planned.op].params
        return (params[0].low, params[0].high, params[0].neutral) if len(params) == 1 else (0.0, MAX_STRENGTH, 0.0)

    @property
    def step(self):
        """The step to execute, with the slider's value."""
        if self.value is None:
            return self.planned
        if len(self.planned.params) == 1:
            return Step.make(self.planned.op, [self.value], self.planned.mask)
        return self.planned if self.value == 1 else scale(Plan((self.planned,)), self.value).steps[0]

    def moved(self, value):
        """Return the card with its slider at `value`, clipped to the slider's bounds."""
        low, high, _ = self.bounds
        return replace(self, value=min(max(float(value), low), high))

    def scaled(self, factor):
        """Return the card with its slider `factor` times as far from neutral, within its bounds."""
        if self.value is None:
            return self
        neutral = self.bounds[2]
        return self.moved(neutral + factor * (self.value - neutral))


@dataclass(frozen=True)
class Turn:
    """A request, and its effect in words; `planned` is False if the request only scaled the last answer."""

    request: str
    answer: str
    planned: bool = True


@dataclass(frozen=True, eq=False)
class Source:
    """The open photo: a copy of its file and a preview, in a folder that is deleted with this object.

    `shown` is the preview as HTML, see `picture`; `limits` are the limits on decoding, arguments of `read_photo`;
    `space` is the RGB space of the preview's pixels.
    """

    path: Path
    shown: str
    notes: tuple[str, ...]
    limits: dict
    space: Space = SRGB

    def __post_init__(self):
        weakref.finalize(self, shutil.rmtree, self.path.parent, ignore_errors=True)

    @property
    def preview(self):
        """The preview, (3, H, W) float32 in [0, 1]; it is read from disk each time, because many photos may be open."""
        return torch.from_numpy(unit(np.load(self.path.with_name(SMALL)))).permute(2, 0, 1).contiguous()

    def beside(self, suffix):
        """Return the path of a result, named as core/edit.py names it."""
        return self.path.with_name(f"{self.path.stem}_edited{suffix}")


@dataclass(frozen=True, eq=False)
class Workbench:
    """A photo, the cards of its plan in order, the history of requests, and the workbench before the last request."""

    source: Source
    cards: tuple[Card, ...] = ()
    history: tuple[Turn, ...] = ()
    previous: "Workbench | None" = field(default=None, repr=False)

    @classmethod
    def open(cls, path, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, job=here):
        """Open a photo on a new workbench; its file is copied, and the copy is deleted with the workbench.

        Args: `job` runs the function that reads the photo, see `here`. Raises UserError if the file is not a photo, has
        more than `max_pixels` pixels or `max_bytes` decoded bytes, or has a format that cannot be written; the error
        names the file without its folder. A failed copy leaves no files.
        """
        path, limits = Path(path), {"max_pixels": max_pixels, "max_bytes": max_bytes}
        folder = Path(tempfile.mkdtemp(prefix="ldie-"))
        try:
            with _without_folder(path.parent):
                check_output(path.with_suffix(suffix_of(path)))
                shown, notes, space = job(_read_in, path, limits, folder)
            return cls(Source(folder / path.name, shown, notes, limits, space))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @property
    def plan(self):
        """The current plan: the steps that are switched on, in order."""
        return Plan(tuple(card.step for card in self.cards if card.on))

    @torch.no_grad()
    def edited(self):
        """Return the edited preview as sRGB, (3, H, W) in [0, 1]."""
        edited = execute(self.plan, self.source.preview)
        if self.source.space.to_srgb is None:
            return edited
        return torch.from_numpy(in_srgb(from_tensor(edited), self.source.space)).permute(2, 0, 1).contiguous()

    def shown(self):
        """Return the edited preview as HTML."""
        return picture(to_uint8(self.edited()), "edited") if self.plan.steps else self.source.shown

    def ask(self, request, planner):
        """Answer a request: a degree or an undo changes the last answer; the rest is planned on the edited photo.

        Args: `planner`, an object with `plans(image, requests)`, like a `Gate`. Raises UserError for a request without
        words or one that the gate refuses, a follow-up without an answer to change, and too many requests or steps.
        """
        if not tokenize(request):
            raise UserError("Say in words what to do, such as: make it brighter")
        if not is_undo(request) and len(self.history) >= MAX_TURNS:
            raise UserError(f"The history already has {MAX_TURNS} requests; undo some, or save the photo and open the "
                            "result")
        if is_undo(request):
            if self.previous is None:
                raise UserError("There is nothing to undo yet")
            return self.previous
        factor = degree_of(request)
        return self._plan(request, planner) if factor is None else self._scale(request, factor)

    def _plan(self, request, planner):
        mask = self._last_mask() if THERE & set(tokenize(request)) else None
        answer, = (planner.within(mask) if mask else planner).plans(self.edited(), [request])
        said = ", ".join(TABLE[step.op].label for step in answer.plan) or "nothing to change"
        said += "".join(f" ({sentence})" for sentence in answer.notes)
        cards = tuple(Card.of(step, len(self.history)) for step in answer.plan)
        if len(self.cards) + len(cards) > MAX_CARDS:
            raise UserError(f"The plan would have more than {MAX_CARDS} steps; undo some, or save the photo and open "
                            "the result")
        return Workbench(self.source, self.cards + cards, (*self.history, Turn(request, said)), self)

    def _last_mask(self):
        """Return the mask of the last card that has one, or None."""
        return next((card.planned.mask for card in reversed(self.cards) if card.planned.mask), None)

    def _scale(self, request, factor):
        last = max((turn for turn, entry in enumerate(self.history) if entry.planned), default=None)
        scaled = [TABLE[card.planned.op].label for card in self.cards if card.turn == last and card.value is not None]
        if not scaled:
            raise UserError(f'"{request}" needs an earlier edit to change; first say what to do')
        cards = tuple(card.scaled(factor) if card.turn == last else card for card in self.cards)
        turn = Turn(request, f"{', '.join(scaled)}: {factor:.2g} times as strong", planned=False)
        return Workbench(self.source, cards, (*self.history, turn), self)

    def move(self, index, value):
        """Move the slider of a card."""
        return self._with(index, self.cards[index].moved(value))

    def switch(self, index, on):
        """Switch a card on or off."""
        return self._with(index, replace(self.cards[index], on=on))

    def _with(self, index, card):
        return replace(self, cards=(*self.cards[:index], card, *self.cards[index + 1:]))

    def swap(self, index):
        """Exchange a card with the next card; the last card stays."""
        cards = list(self.cards)
        cards[index:index + 2] = reversed(cards[index:index + 2])
        return replace(self, cards=tuple(cards))

    def write_photo(self, job=here):
        """Write the edited photo at full size, byte for byte as core/edit.py does; return its path and notes.

        Args: `job` runs the function that writes, see `here`. Raises UserError, which names files without their folder,
        as for all writers here.
        """
        out, plan_path = self.source.beside(suffix_of(self.source.path)), self.source.beside(".plan.json")
        with _without_folder(out.parent):
            return out, job(_write_photo, self.source.path, self.source.limits, self.plan, out, plan_path)

    def write_plan(self, job=here):
        """Write the plan as JSON, which needs no `job`; return its path and notes."""
        path = self.source.beside(".plan.json")
        self.plan.save(path)
        return path, []

    def write_lut(self, job=here):
        """Write the plan as a .cube, up to its first step that is not point-wise; return its path and notes."""
        path = self.source.beside(".cube")
        with _without_folder(path.parent):
            return path, job(_write_lut, self.source.path, self.source.limits, self.plan, path)


def _read_in(path, limits, folder):
    """Write a copy of a photo and its preview into a folder.

    Returns: the preview as HTML, notes on the file, and the RGB space of the preview's pixels.
    """
    photo = read_photo(path, **limits, long_edge=PREVIEW)
    top, kind = (255, np.uint8) if photo.depth == 8 and photo.space.curves is None else (65535, np.uint16)
    np.save(folder / SMALL, np.rint(photo.pixels * top).astype(kind))
    shutil.copyfile(path, folder / path.name)
    shown = picture(np.rint(photo.in_srgb() * 255).astype(np.uint8), "before")
    return shown, photo.notes, replace(photo.space, icc=b"", curves=None)   # a preview needs the primaries only


def _write_photo(path, limits, plan, out, plan_path):
    """Write an edited photo and its plan; return the notes."""
    options = add_output_flags(Parser("")).parse_args(["--overwrite"])
    options.max_megapixels, options.max_decoded_mb = limits["max_pixels"] / 1e6, limits["max_bytes"] / 2**20
    return edit_photo(path, out, plan_path, lambda photo: (plan, ()), options)[1]


def _write_lut(path, limits, plan, out):
    """Write a plan as a .cube, measured on a photo; return the notes."""
    report = export(plan, out, read_photo(path, **limits).pixels, split=True, overwrite=True)
    return [str(replace(report, path=Path(out.name), notes=())), *report.notes]


def picture(samples, alt):
    """Return an <img> with the data of a preview (H, W, 3) uint8, so that the page contains no address of a file."""
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "JPEG", quality=92, subsampling=0)
    data = base64.b64encode(file.getvalue()).decode()
    return tags.img(src=f"data:image/jpeg;base64,{data}", alt=alt, decoding="sync").render()


def region(source, mask):
    """Return the region of a mask on an open photo as HTML: a small picture, and the words that chose the region."""
    small = preview(source.preview, REGION)
    return picture(overlay(small, [mask]), f"region: {mask.region}") + tags.small(mask.region).render()


def notice(*sentences):
    """Return a line of HTML for each sentence; an exception among them is shown as an alert, without any path."""
    lines = []
    for sentence in sentences:
        if isinstance(sentence, OSError):
            sentence = UserError(f"The server could not do this ({sentence.strerror}); nothing was lost")
        lines.append(tags.p(str(sentence), **({"role": "alert"} if isinstance(sentence, UserError) else {})))
    return "".join(line.render() for line in lines)


def history(turns):
    """Return requests and their effects as HTML; their text is escaped."""
    return tags.ol(*(tags.li(turn.request, tags.small(turn.answer)) for turn in turns)).render(pretty=False)


@contextlib.contextmanager
def _without_folder(folder):
    """Remove the server's folder from the text of errors, so that errors name files as the user knows them."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(f"{folder}/", "")) from None
