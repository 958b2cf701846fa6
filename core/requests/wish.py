"""The wish: one intended change of a photo, as a value.

All parts that understand or produce language exchange wishes: the reader (words to wishes), the grammar (wishes to
words), the random edits and the keyword plans.
"""
from dataclasses import dataclass

LEVELS = ("slight", "plain", "strong")   # degrees in words, from small to large
# The direction of a repair depends on the photo.
REPAIRS = ("exposure repair", "cast repair", "contrast repair", "saturation repair", "repair")
ATTRIBUTES = ("light", "contrast", "saturation", "temperature", "sharpness", "red", "green", "blue", "shadows",
              "midtones", "fade", "black and white", "removal", "unchanged", *REPAIRS)


@dataclass(frozen=True)
class Wish:
    """One intended change: which attribute, in which direction, how much of it, and where.

    Args:
        attribute: one of ATTRIBUTES.
        sign: 1 for more of the attribute, -1 for less; always 1 for attributes without an opposite ("removal").
        degree: one of LEVELS, or a number >= 0 in per cent.
        where: the region as a key of `core.requests.templates.REGIONS`; None is the whole photo.

    Raises ValueError for an unknown attribute, sign or degree.
    """

    attribute: str
    sign: int = 1
    degree: str | int | float = "plain"
    where: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.attribute not in ATTRIBUTES:
            raise ValueError(f"attribute {self.attribute!r}: unknown; known are: {', '.join(ATTRIBUTES)}")
        if self.sign not in (1, -1):
            raise ValueError(f"sign {self.sign!r}: must be 1 or -1")
        if self.degree not in LEVELS and not (isinstance(self.degree, int | float) and self.degree >= 0):
            raise ValueError(f"degree {self.degree!r}: must be one of {', '.join(LEVELS)}, or a number in per cent")

    @property
    def direction(self) -> tuple[str, int]:
        """(attribute, sign), the key of the tables of words, edits and faults."""
        return self.attribute, self.sign
