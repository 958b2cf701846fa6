"""The place: a part of a photo in words, as a value; `core.finding` finds it in a photo."""
from dataclasses import dataclass, field, replace

KINDS = (
    "thing",        # countable: a class of COCO ("dog"), by its canonical name
    "stuff",        # not countable: "sky", "water", "plants"
    "tone",         # a range of lightness: "shadows", "midtones", "highlights"
    "colour",       # everything of a colour: the name is the colour
    "area",         # a part of the frame: "left", "right", "top", "bottom", "middle", "corners", "edges"
    "subject",      # the main subject
    "background",   # everything but the subject
    "photo",        # the whole photo; "everything but the dog" is the photo without the dog
    "unknown",      # words that LDIE does not know or cannot find yet, such as "logo"
)
COLOUR_NAMES = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta", "pink", "brown", "white",
                "black", "grey")
MISSING = ("fail", "global", "ask")   # what may happen to a wish whose place is not found in a photo
POSITIONS = ("left", "right", "top", "bottom", "middle", "front", "back")
ACROSS, UPRIGHT = ("left", "right"), ("top", "bottom")
APART = (ACROSS, UPRIGHT, ("front", "back"))   # positions that exclude each other
RELATIONS = ("near", "above", "below", "in", "holding", "on", "behind", "in front of")


@dataclass(frozen=True)
class Place:
    """A part of a photo in words.

    Args:
        name: the canonical name of the thing, stuff, tone, colour or area; for "unknown", the noun itself.
        kind: one of KINDS.
        count: how many things are meant: 1 for "the dog", 2 for "both dogs"; None for all of them ("the dogs").
        colour: one of COLOUR_NAMES, for "the red car"; None without a colour.
        positions: of POSITIONS: ("left",) for "the man on the left", ("top", "left") for "the top left window".
        order: the place in the order along the first position: 2 with ("left",) for "the second man from the left".
        size: 1 for the biggest, -1 for the smallest, 0 if no size is named.
        relation: one of RELATIONS, to the place `to`: "the dog next to the bench"; None without a relation.
        to: the Place of the relation.
        but: Places that are left out: "everything except the sky".
        also: Places that are edited, too: "the sky and the sea".
        words: the words of the request; not compared.
    """

    name: str
    kind: str = "thing"
    count: int | None = 1
    colour: str | None = None
    positions: tuple[str, ...] = ()
    order: int | None = None
    size: int = 0
    relation: str | None = None
    to: "Place | None" = None
    but: "tuple[Place, ...]" = ()
    also: "tuple[Place, ...]" = ()
    words: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}: must be one of {', '.join(KINDS)}")


def area_of(positions: tuple[str, ...], third: str = "") -> Place:
    """Return the area of positions in the frame: a corner for two, else a side; `third` is " third" or empty."""
    across = [position for position in positions if position in ACROSS]
    upright = [position for position in positions if position in UPRIGHT]
    if across and upright:
        return Place("corners", "area", positions=(upright[0], across[0]))
    name = (across or upright or list(positions))[0]
    if name == "back":
        return Place("background", "background")
    return Place("subject", "subject") if name == "front" else Place(name + third, "area")


def with_positions(place: Place, positions: tuple[str, ...]) -> Place:
    """Return a place with more positions, each once; a part of the photo becomes an area."""
    if place.kind == "photo":
        return replace(area_of(positions), but=place.but)
    return replace(place, positions=tuple(dict.fromkeys((*place.positions, *positions))))
