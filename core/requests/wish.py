"""The wish: one intended change of a photo, as a value.

All parts that understand or produce language exchange wishes: the reader (words to wishes), the grammar (wishes to
words), the random edits, the keyword plans and the checks after an edit.
"""
from dataclasses import dataclass, field
from typing import NamedTuple

LEVELS = ("slight", "plain", "strong")   # degrees in words, from small to large
UNITS = ("%", "stops", "points", "degrees")
COLOURS = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
# The direction of a repair depends on the photo.
REPAIRS = ("exposure repair", "cast repair", "contrast repair", "saturation repair", "enhance")
GEOMETRY = ("rotate", "flip", "straighten")
# Attributes of things: a region is filled from its surroundings, or painted.
FILLS = ("removal", "white background", "transparent background")
# Attributes that LDIE understands and names, but cannot change yet.
CANNOT = ("replacement", "adding", "retouching", "deformation", "style", "background", "crop")
OF_THINGS = (*FILLS, *CANNOT)   # their `where` names a thing, not the place of a look
SOMEWHERE = "a part of the photo"   # a place without known words
LOOKS = (   # attributes of the pixels, which have more and less
    "light", "contrast", "saturation", "temperature", "green-magenta", *COLOURS, "sharpness", "clarity", "haze",
    "noise", "highlights", "shadows", "midtones", "whites", "blacks", "fade", "vignette", "black and white", "sepia",
    "grain", "hdr")
# A repair is superfluous beside a wish for the attribute that it mends; for casts, beside a wish for one of FAMILY.
MENDED = {"exposure repair": "light", "contrast repair": "contrast", "saturation repair": "saturation",
          "cast repair": "temperature"}
FAMILY = dict.fromkeys((*COLOURS, "green-magenta"), "temperature")
CASTS = {"yellow": (("temperature", 1),), "blue": (("temperature", -1),), "green": (("green-magenta", -1),),
         "magenta": (("green-magenta", 1),), "red": (("temperature", 1), ("green-magenta", 1)),
         "orange": (("temperature", 1), ("green-magenta", 1)), "aqua": (("temperature", -1), ("green-magenta", -1)),
         "purple": (("temperature", -1), ("green-magenta", 1))}
ATTRIBUTES = (*LOOKS, *REPAIRS, *GEOMETRY, "unchanged", *OF_THINGS)


@dataclass(frozen=True)
class Wish:
    """One intended change: which attribute, in which direction, how much of it, and where.

    Args:
        attribute: one of ATTRIBUTES.
        sign: 1 for more of the attribute, -1 for less, 0 to keep it as it is. "temperature" 1 is warmer,
            "green-magenta" 1 is more magenta, "vignette" 1 has darker corners, "rotate" 1 is clockwise, "flip" 1
            swaps left and right and -1 top and bottom. Always 1 for attributes without an opposite ("removal").
        degree: one of LEVELS, or a number >= 0 of `unit`.
        where: the part of the photo in words, or as a key of `core.requests.templates.REGIONS`; None is all of it.
        unit: one of UNITS, for a degree that is a number.
        span: first and last + 1 character of the words in the request; not compared.

    Raises ValueError for an unknown attribute, sign, degree or unit.
    """

    attribute: str
    sign: int = 1
    degree: str | int | float = "plain"
    where: str | tuple[int, int] | None = None
    unit: str = "%"
    span: tuple[int, int] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.attribute not in ATTRIBUTES:
            raise ValueError(f"attribute {self.attribute!r}: unknown; known are: {', '.join(ATTRIBUTES)}")
        if self.sign not in (1, 0, -1):
            raise ValueError(f"sign {self.sign!r}: must be 1, 0 or -1")
        if self.degree not in LEVELS and not (isinstance(self.degree, int | float) and self.degree >= 0):
            raise ValueError(f"degree {self.degree!r}: must be one of {', '.join(LEVELS)}, or a number")
        if self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r}: unknown; known are: {', '.join(UNITS)}")

    @property
    def direction(self) -> tuple[str, int]:
        """(attribute, sign), the key of the tables of words, edits and faults."""
        return self.attribute, self.sign

    @property
    def level(self) -> str:
        """The degree as one of LEVELS; numbers count by their size: 10% is slight, 30% plain, 60% strong."""
        if self.degree in LEVELS:
            return self.degree
        small, large = {"%": (15, 45), "stops": (0.4, 1.25), "points": (12, 35), "degrees": (3, 45)}[self.unit]
        return LEVELS[(self.degree > small) + (self.degree > large)]

    @property
    def executable(self) -> bool:
        """Whether the wish changes the whole photo: it is not of things, nor to keep, nor limited to a part."""
        return self.attribute not in (*OF_THINGS, "unchanged") and self.sign != 0 and self.where is None


class Guess(NamedTuple):
    """A wish of the tagger, with its probability in [0, 1].

    `attribute` and `degree` are as in Wish; `sign` is 1, -1, or 0 for "keep it". `limited` is the probability that
    the wish is for a part of the photo. `span` are the first and last + 1 character of the words in the request.
    """

    attribute: str
    sign: int
    degree: str
    limited: float
    probability: float
    span: tuple[int, int]

    @property
    def wish(self) -> Wish:
        """The guess as a Wish; the words of a place are not known."""
        return Wish(self.attribute, self.sign, self.degree, SOMEWHERE if self.limited > 0.5 else None, span=self.span)
