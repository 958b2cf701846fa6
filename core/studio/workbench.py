"""The workbench behind the page in the browser: a plan as cards with sliders, follow-ups, and files to take away.

A Workbench is a value: every action returns a new one, so an action that fails loses nothing, and "undo" is the one
before. Previews are small; the photo's own pixels are read again when a file of them is asked for.

    bench = Workbench.open("photo.jpg")
    bench = bench.ask("make it brighter", planner).ask("a bit less", planner).move(0, 0.2)
    path = bench.write_photo()                     # what core/edit.py writes for this photo and plan
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
from core.datasets.vocab import remarks
from core.engine.options import Parser
from core.exports import export
from core.files import UserError
from core.operators import TABLE, Plan, Step, execute
from core.operators.changes import scale
from core.photo import MAX_BYTES, MAX_PIXELS, check_output, from_tensor, read_photo
from core.photo.profile import SRGB, Space, in_srgb, unit
from core.studio.jobs import add_output_flags, edit_photo, suffix_of

PREVIEW = 1000       # pixels of the long edge: what follows the sliders; JPEGs of 4000 are decoded at a quarter
SMALL = "small.npy"  # the file of the preview beside the photo's: (H, W, 3) uint8 or uint16, as the photo's samples
MAX_STRENGTH = 2.0   # of tone curves, which have too many parameters for a slider each
MAX_CARDS = 60       # of a plan: each preview carries out all of them
MAX_TURNS = 200      # of a history, whose states are all kept for "undo"

# A follow-up of nothing but these words moves the last answer's steps away from neutral or towards it, by a factor:
# "more" is x 1.5, "a bit less" is / 1.2. One that says neither is a new request.
DIRECTIONS = {"more": 1, "stronger": 1, "not enough": 1, "too little": 1, "too weak": 1,
              "less": -1, "weaker": -1, "too much": -1, "too strong": -1}
AMOUNTS = {"": 1.5, **dict.fromkeys(("bit", "little", "little bit", "slightly", "touch", "tad"), 1.2),
           **dict.fromkeys(("much", "lot", "far", "way", "even much"), 2.0), "even": 1.5}
UNDO = {"undo", "back", "go back", "revert", "take back"}
_FILLERS = {"please", "just", "now", "again", "it", "that", "this", "but", "and", "make", "do", "is", "was"}


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
    """Whether a follow-up takes the last request back."""
    return _without_fillers(request) in UNDO


def _without_fillers(request):
    return " ".join(word for word in tokenize(request) if word not in _FILLERS)


def here(function, *args):
    """Do a job in this process. Long jobs of a workbench can be done elsewhere, as by `core.studio.worker.Worker`."""
    return function(*args)


@dataclass(frozen=True)
class Card:
    """A step as a person handles it: as it was planned, where its slider stands, and whether it is carried out.

    `value` is the parameter of an operator that has one, the strength (1 is as planned) of one that has several,
    such as a tone curve, and None where there is nothing to move. `turn` is the request that brought it.
    """

    planned: Step
    value: float | None
    on: bool = True
    turn: int = 0

    @classmethod
    def of(cls, step, turn=0):
        """Return the card of a planned step."""
        if len(step.params) == 1:
            return cls(step, step.params[0], turn=turn)
        return cls(step, 1.0 if step.params else None, turn=turn)

    @property
    def bounds(self):
        """The slider's (low, high, neutral); None where there is nothing to move."""
        row = TABLE[self.planned.op]
        if row.n_params == 1:
            return row.low, row.high, row.neutral
        return (0.0, MAX_STRENGTH, 0.0) if row.n_params else None

    @property
    def step(self):
        """The step that is carried out."""
        if self.value is None:
            return self.planned
        if len(self.planned.params) == 1:
            return Step.make(self.planned.op, [self.value], self.planned.mask)
        return self.planned if self.value == 1 else scale(Plan((self.planned,)), self.value).steps[0]

    def moved(self, value):
        """Return the card with its slider at `value`, or at the bound that lies nearest."""
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
    """A request, and in words what it did; `planned` if it brought steps of its own."""

    request: str
    answer: str
    planned: bool = True


@dataclass(frozen=True, eq=False)
class Source:
    """The photo on the bench: a copy of its file and its small picture, in a folder that goes when this does.

    `shown` is the small picture as HTML, see `picture`; `limits` is what may be decoded of the file; `space` is the
    RGB space of the pixels.
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
        """The small picture, (3, H, W) float32 in [0, 1]; it is read each time, as many photos are on benches."""
        return torch.from_numpy(unit(np.load(self.path.with_name(SMALL)))).permute(2, 0, 1).contiguous()

    def beside(self, suffix):
        """Return the path of a result, named as core/edit.py names it."""
        return self.path.with_name(f"{self.path.stem}_edited{suffix}")


@dataclass(frozen=True, eq=False)
class Workbench:
    """A photo, the cards of its plan in their order, what was asked, and the workbench before the last request."""

    source: Source
    cards: tuple[Card, ...] = ()
    history: tuple[Turn, ...] = ()
    previous: "Workbench | None" = field(default=None, repr=False)

    @classmethod
    def open(cls, path, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, job=here):
        """Put a photo on the bench; its file is copied, and the copy lives as long as the bench does.

        Args: `job`, which does what reads the photo, see `here`. Raises UserError where the file is no photo, has more
        than `max_pixels` pixels or `max_bytes` bytes decoded, or could not be written again; the file is named without
        its folder. A copy that fails leaves nothing behind.
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
        """The plan as it stands: the steps that are switched on, in their order."""
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
        """Carry out a request: a degree or an undo changes the last answer, any other is planned on the edited photo.

        Args: `planner`, with `plans(image, requests)` and `vocab` as `PlannerMethod` has them. Raises UserError for
        a request without words, and for a follow-up of nothing.
        """
        if not tokenize(request):
            raise UserError("Say in words what to do, such as: make it brighter")
        if not is_undo(request) and len(self.history) >= MAX_TURNS:
            raise UserError(f"After {MAX_TURNS} requests, undo some, or save the photo and open the result")
        if is_undo(request):
            if self.previous is None:
                raise UserError("There is nothing to undo yet")
            return self.previous
        factor = degree_of(request)
        return self._plan(request, planner) if factor is None else self._scale(request, factor)

    def _plan(self, request, planner):
        answer, = planner.plans(self.edited(), [request])
        said = ", ".join(step.op for step in answer.plan) or "nothing to change"
        said += "".join(f" ({sentence})" for sentence in remarks(planner.vocab, request))
        cards = tuple(Card.of(step, len(self.history)) for step in answer.plan)
        if len(self.cards) + len(cards) > MAX_CARDS:
            raise UserError(f"The plan would have more than {MAX_CARDS} steps; undo some, or save the photo and open "
                            "the result")
        return Workbench(self.source, self.cards + cards, (*self.history, Turn(request, said)), self)

    def _scale(self, request, factor):
        last = max((turn for turn, entry in enumerate(self.history) if entry.planned), default=None)
        scaled = [card.planned.op for card in self.cards if card.turn == last and card.value is not None]
        if not scaled:
            raise UserError(f'"{request}" follows nothing that it could change; say first what to do')
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
        """Exchange a card with the one after it; the last one stays."""
        cards = list(self.cards)
        cards[index:index + 2] = reversed(cards[index:index + 2])
        return replace(self, cards=tuple(cards))

    def write_photo(self, job=here):
        """Write the edited photo at full size, byte for byte what core/edit.py writes; return its path and notes.

        Args: `job`, which does the work, see `here`. Raises UserError, as all writers here, with files named without
        their folder.
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
    """Put a copy of a photo and its small picture into a folder.

    Returns: the picture as HTML, notes on the file, and the RGB space of the small picture.
    """
    photo = read_photo(path, **limits, long_edge=PREVIEW)
    top, kind = (255, np.uint8) if photo.depth == 8 and photo.space.curves is None else (65535, np.uint16)
    np.save(folder / SMALL, np.rint(photo.pixels * top).astype(kind))
    shutil.copyfile(path, folder / path.name)
    shown = picture(np.rint(photo.in_srgb() * 255).astype(np.uint8), "before")
    return shown, photo.notes, replace(photo.space, icc=b"", curves=None)   # what a preview needs of it


def _write_photo(path, limits, plan, out, plan_path):
    """Write an edited photo and its plan; return the notes."""
    options = add_output_flags(Parser("")).parse_args(["--overwrite"])
    options.max_megapixels, options.max_decoded_mb = limits["max_pixels"] / 1e6, limits["max_bytes"] / 2**20
    return edit_photo(path, out, plan_path, lambda photo: plan, options)[1]


def _write_lut(path, limits, plan, out):
    """Write a plan as a .cube, measured on a photo; return the notes."""
    report = export(plan, out, read_photo(path, **limits).pixels, split=True, overwrite=True)
    return [str(replace(report, path=Path(out.name), notes=())), *report.notes]


def picture(samples, alt):
    """Return an <img> that holds a preview (H, W, 3) uint8 itself, so that no address of a file is on the page."""
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "JPEG", quality=92, subsampling=0)
    data = base64.b64encode(file.getvalue()).decode()
    return tags.img(src=f"data:image/jpeg;base64,{data}", alt=alt, decoding="sync").render()


def notice(*sentences):
    """Return a line of HTML for each sentence; an exception among them is shown as an alert, without any path."""
    lines = []
    for sentence in sentences:
        if isinstance(sentence, OSError):
            sentence = UserError(f"The server could not do this ({sentence.strerror}); nothing was lost")
        lines.append(tags.p(str(sentence), **({"role": "alert"} if isinstance(sentence, UserError) else {})))
    return "".join(line.render() for line in lines)


def history(turns):
    """Return what was asked and what it did as HTML: text, whatever it says."""
    return tags.ol(*(tags.li(turn.request, tags.small(turn.answer)) for turn in turns)).render(pretty=False)


@contextlib.contextmanager
def _without_folder(folder):
    """Let errors name files as the person at the page knows them: where they lie is the server's affair."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(f"{folder}/", "")) from None
