"""A wish that the reader has found, while later words may still change it."""
from dataclasses import dataclass

from core.requests.wish import COLOURS
from core.requests.words import Word

MENDS = {"light": "exposure repair", "contrast": "contrast repair", "saturation": "saturation repair",
         "temperature": "cast repair"}
UNWANTED = ("noise", "haze")   # a request that names them without a verb asks for less
EFFECTS = (*UNWANTED, "grain", "vignette", "hdr", "fade")   # "no grain" removes it
STATED = ("grain", "vignette", "hdr", "fade", "sepia")   # a noun without a verb already is a wish: "sepia, please"
ZONES = ("highlights", "shadows", "midtones", "whites", "blacks")
SHADES = (*COLOURS, "temperature", "green-magenta")   # adjectives that name a colour: "the blue", "a warm tint"


@dataclass
class Found:
    """A wish that later words of the request may change.

    `waits` marks a noun that has no direction yet; `open`, that a later direction may change the sign, which is then
    that of `pole`. `told` marks a word in a sentence that asks for nothing. `firm` marks a word that certainly states a
    wish and does not only describe the photo.
    """

    attribute: str
    sign: int
    word: Word
    degree: str | int | float = "plain"
    unit: str = "%"
    where: str | None = None
    waits: bool = False
    firm: bool = True
    open: bool = False
    pole: int = 1
    told: bool = False
    taken_back: bool = False   # a correction withdraws the wish, and nothing takes its place
    blamed: bool = False   # a state of the photo that is a complaint: "it is dark"
    placed: bool = False   # the place stands right behind the word: "fix the background"
    named: bool = False   # a noun, or an adjective that is used as a noun: "take the blue down"

    @property
    def kind(self) -> str | None:
        """The table of keywords.toml that holds the word, or None if no table does."""
        return self.word.entry[0] if self.word.entry else None

    @property
    def span(self) -> tuple[int, int]:
        """First and last + 1 character of the word in the request."""
        return self.word.start, self.word.end

    def turn(self, direction: int) -> None:
        """Give the wish the direction of a later word: 1 for more, -1 for less, 0 to keep it."""
        self.sign, self.waits, self.open, self.firm = self.pole * direction, False, False, True

    def mend(self) -> None:
        """Make a noun of MENDS the wish to repair its attribute; the photo decides the direction of a repair."""
        self.attribute = "cast repair" if "hues" in self.word.roles else MENDS[self.attribute]
        self.waits = self.open = False
        self.firm = True
