"""The grammar of region phrases: a parser from the tokens of `core.requests.place_words` to places."""
from dataclasses import dataclass, replace

from core.requests.place import Place, area_of, with_positions
from core.requests.token_cursor import SUBJECTS, TokenCursor

DEEPEST = 4         # relations within relations that are read: "the dog next to the man on the left"
MOST_THINGS = 20    # larger numbers of things are no counts
INSIDE = ("in", "on", "near")   # relations of prepositions that begin a position: "in the middle", "at the top"
NEARER = ("close", "closely", "closer", "tight", "tightly", "tighter")   # "zoom in closely on the dog"
LINKS = ("of", "to", "towards", "toward")
EVERYTHING = ("everything", "anything", "all", "whatever", "everywhere", "it")
CORE = ("thing", "stuff", "unknown")


@dataclass
class _Head:
    """The words before a noun."""

    count: int | None = 1
    counted: bool = False
    colour: str | None = None
    tone: str | None = None
    positions: tuple[str, ...] = ()
    order: int | None = None
    size: int = 0


class PlaceParser(TokenCursor):
    """Reads places from tokens, from left to right; `at` is the index of the next token."""

    def opening(self) -> None:
        """Skip words before a phrase: "please, just in ..."."""
        while self.at < len(self.tokens) and (self._sense("polite") or self.text in (*LINKS, *NEARER, ",") or (
                self._sense("relation") in INSIDE and self.text != "between")):
            self.at += 1

    def place(self) -> Place | None:
        """Return the next place with its exceptions and companions, or None; `at` is then the token after it."""
        first = self._leading_exception() or self._phrase(0)
        if first is None:
            return None
        also, but = [], []
        while True:
            mark, listed = self.at, also
            if self._take("except"):
                listed = but
            elif not (self._take("and") or self._comma()):
                break
            self._take("and")
            listed = but if self._take("except") or (listed is also and but and not also) else listed
            following = self._phrase(0)
            if following is None or (following.kind == "photo" and not following.but):
                self.at = mark
                break
            listed.append(following)
        return replace(first, also=tuple(also), but=(*first.but, *but))

    def _leading_exception(self):
        """Return the photo without a place, for "but not the dog" at the beginning."""
        mark = self.at
        if self._take("except") and (left := self._phrase(0)):
            return Place("photo", "photo", but=(left,)) if left.kind != "photo" else left
        self.at = mark
        return None

    def _phrase(self, depth, bare=False):
        """Return a place without its exceptions and companions, or None; a `bare` one has nothing after its noun."""
        start = self.at
        place = self._noun(self._modifiers(), depth) if depth <= DEEPEST else None
        if place is None:
            self.at = start
            return None
        return place if bare else self._followed(place, depth)

    def _modifiers(self):
        """Return the words before the noun, and step over them."""
        head = _Head()
        while self.at < len(self.tokens):
            order, number = self._sense("order"), self._sense("number")
            area = self._sense("area")
            if self.text == "of" and (head.colour or head.tone):
                break   # "the blue of the sea"
            if self._sense("both"):
                head.count, head.counted = 2, True
            elif number is not None and 0 < number <= MOST_THINGS:
                head.count, head.counted = number, True
            elif order and not (area == "thirds" and head.positions):
                head.order = order
            elif self.text == "last":
                head.positions, head.order = ("right",), 1
            elif self._sense("all") and (not self._sense("noun") or self._counts_all()):
                head.count, head.counted = None, self.text not in ("entire", "whole", "some", "any", "most")
            elif self._sense("shade") and self._sense("colour", 1):
                pass
            elif self._sense("colour") and not self._sense("colour noun"):
                head.colour = self._sense("colour")
            elif self._sense("tone adjective") and self._goes_on(1):
                head.tone = self._sense("tone adjective")
            elif self._sense("size"):
                head.size = self._sense("size")
            elif self._sense("position") and self._turns_noun() and self.text != "behind":
                head.positions += (self._sense("position"),)
            elif not self._is_filler():
                break
            self.at += 1
        return head

    def _noun(self, head, depth):
        """Return the place of the noun after its modifiers, or of the modifiers alone; None if there is neither."""
        positions = head.positions
        if (area := self._sense("area")) and not (self._sense("noun") and not positions):
            return self._area(area, head, depth)
        if tone := self._sense("tone"):
            owned = self.text.startswith("shadow") and self._owned()
            self.at += 1
            if not owned:
                return self._inside(Place(tone, "tone", positions=positions), depth)
            self._of(depth) if self.text == "of" else None
            return Place("shadow", "unknown")
        if self._sense("hue") and not (head.colour or head.tone):
            self.at += 1
            return self._of(depth) if self.text == "of" else None   # "the colors of the sky"
        if colour := self._sense("colour noun"):
            self.at += 1
            return self._inside(Place(colour, "colour", positions=positions), depth)
        if self._sense("hue") and (head.colour or (head.tone and self.text in ("tones", "pixels"))):
            self.at += 1
            place = Place(head.colour, "colour") if head.colour else Place(head.tone, "tone")
            return self._inside(replace(place, positions=positions), depth)
        tokens = self._run()
        if not tokens:
            return self._without_noun(head, depth)
        token = tokens[-1]
        if "covers" in token.senses:
            if len(tokens) > 1:
                token = tokens[-2]
            elif self.text == "of":
                return self._of(depth) or Place(token.text, "unknown")
        kind, name, count = token.senses.get("noun", ("unknown", token.text, 1))
        if kind == "photo":
            return self._photo(head, tokens, depth)
        if token.senses.keys() & {"group", "pair"} and self.text == "of" and (inner := self._of(depth)):
            return replace(inner, count=count)
        if head.counted:
            count = 1 if head.count == 2 and kind != "thing" and token.senses.get("noun", (0, 0, 1))[2] else head.count
        if head.order is not None or (head.size and count is None and token.text != name + "s"):
            count = 1 if head.order is not None else count
        if name == "person":
            head.colour = None if head.colour in ("white", "black") else head.colour
            head.size = 0 if token.text in ("girl", "boy", "kid", "child", "baby", "guy", "sister", "brother") and (
                head.size < 0 or (head.size > 0 and token.text in ("sister", "brother"))) else head.size
        if kind in CORE and head.colour and token.text in ("thing", "things", "object", "objects", "stuff"):
            return Place(head.colour, "colour", positions=positions)
        if head.order and not positions:
            positions = ("left",) if not self._ordered_from() else ()
        place = Place(name, kind, count, head.colour, positions, head.order, head.size)
        if self.text == "of" and (inner := self._of(depth)) and inner.kind != "photo" and kind not in (
                "unknown", "subject", "background"):
            return replace(place, relation="on", to=inner)
        return place

    def _run(self):
        """Step over the nouns of a compound ("the girl's hat", "nose area"), and return those that can be the head."""
        tokens = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            name = token.unknown and not (tokens and not tokens[-1].owns and token.text.endswith(("ed", "ing", "ly")))
            if tokens and not tokens[-1].owns and (
                    "position" in token.senses or "pronoun" in tokens[-1].senses or tokens[-1].text in EVERYTHING):
                break
            if "noun" in token.senses and tokens and token.text in SUBJECTS:
                break
            shadow = bool(tokens) and tokens[-1].owns and token.text.startswith("shadow")
            if shadow or "covers" in token.senses or "noun" in token.senses or (name and self._is_name(self.at)):
                tokens.append(token)
            elif (token.owns and self._is_name(self.at)) or (
                    tokens and tokens[-1].owns and token.senses.keys() & {"colour", "size", "position"}):
                tokens += [token] if token.owns else []   # "the girl's left hand"
            elif not (tokens and (self._sense("area") == "parts" or self._sense("hue")) and (
                    tokens[-1].senses.get("noun", "  ")[0] != "photo")):
                break
            self.at += 1
        if tokens and "covers" in tokens[-1].senses and len(tokens) > 1 and "noun" not in tokens[-2].senses:
            tokens = tokens[-1:]
        return tokens

    def _area(self, area, head, depth):
        """Return the place of "the left side", "the dark parts", "the corners"; `at` is at the noun."""
        positions, text = head.positions, self.text
        self.at += 1
        if self._sense("area") == "parts":
            self.at += 1   # "the corner area"
        if head.tone or (head.colour and area == "parts"):
            place = Place(head.tone, "tone") if head.tone else Place(head.colour, "colour")
            return self._inside(replace(place, positions=positions), depth)
        if area in ("corners", "edges"):
            place = Place(area, "area", positions=positions)
        elif positions:
            place = area_of(positions, " third" if text.startswith("third") else "")
        elif text in ("sides", "halves"):
            place = Place("edges", "area") if text == "sides" else Place("photo", "photo")
        else:
            if text in ("part", "parts", "area", "areas", "section", "portion", "piece", "rest") and self.text in (
                    "of", "with", "around", "where") and (inner := self._of(depth)):
                return inner   # "the part with the trees", "the area around the dog"
            place = Place(text, "unknown", head.count)
        mark = self.at
        if self.text in ("of", "in", "on") and (inner := self._of(depth)):
            if inner.kind in ("photo", "area"):
                return place
            if place.kind == "area" and place.name not in ("corners", "edges"):
                return replace(inner, positions=positions + inner.positions)
            self.at = mark
            if place.kind == "area" and inner.kind not in ("background", "subject"):
                return Place(text, "unknown")   # "the edge of the table"
        return place

    def _of(self, depth):
        """Return the place after "of", or None; `at` is at "of"."""
        mark = self.at
        self.at += 1
        inner = self._phrase(depth + 1)
        if inner is None:
            self.at = mark
        return inner

    def _inside(self, place, depth):
        """Return the tone or colour of a place: "the dark parts of the sky", "the reds in her dress"."""
        if self.text == "of" and (inner := self._of(depth)) and inner.kind != "photo":
            return replace(place, relation="in", to=inner)
        return place

    def _without_noun(self, head, depth):
        """Return the place of modifiers without a noun: "the top left", "anything red", "the dark"."""
        if head.positions and not head.colour:
            mark = self.at
            side = area_of(head.positions)
            if self.text == "of" and (inner := self._of(depth)):
                if inner.kind in ("photo", "area"):
                    return side
                if inner.kind in CORE:
                    return replace(inner, positions=head.positions + inner.positions)
                self.at = mark
            return side
        if head.colour:
            return self._inside(Place(head.colour, "colour"), depth)
        if tone := head.tone or self._take("tone adjective"):
            return self._inside(Place(tone, "tone"), depth)
        if head.order is not None or head.size:
            return Place("one", "unknown", positions=(), order=head.order, size=head.size)
        return None

    def _photo(self, head, tokens, depth):
        """Return the place of a word for the photo: "everything", "anything blue", "the left of the picture"."""
        mark = self.at
        while self._sense("relative") and not self._sense("position"):
            self.at += 1
        text = tokens[-1].text
        if text in EVERYTHING:
            while self._sense("shade") and self._sense("colour", 1):
                self.at += 1
            if colour := self._take("colour"):
                return self._inside(Place(colour, "colour"), depth)
            if tone := self._take("tone adjective"):
                return self._inside(Place(tone, "tone"), depth)
            if (self._sense("relation") in ("behind", "near") or self.text in ("outside", "around")) and (
                    inner := self._of(depth)):
                return Place("photo", "photo", but=(inner,)) if inner.kind not in ("photo", "area") else inner
        self.at = mark
        if self.text == "of" and (text == "all" or text.startswith("image")) and (inner := self._of(depth)):
            return replace(inner, count=None) if text == "all" and inner.kind == "thing" else inner
        elif self.text == "of" and text not in EVERYTHING:
            self._of(depth)   # "this photo of my dog" is the photo
        if head.colour or head.tone:
            return Place(head.colour, "colour") if head.colour else Place(head.tone, "tone")
        return area_of(head.positions) if head.positions else Place("photo", "photo")

    def _followed(self, place, depth):
        """Return a place with the positions and the relation that follow its noun."""
        while self.at < len(self.tokens):
            mark = self.at
            for _ in range(4):   # "who is standing ..."
                if not (self._is_link() or self._links_relation() or self._is_particle() or (
                        self.at > mark and self.text.endswith("ing"))):
                    break
                self.at += 1
            if (order := self._sense("order")) and self._sense("relation", 1) and self._ordered_from():
                self.at += 1
                place = replace(place, order=order, count=1)   # "the lady second from the right"
            elif positions := self._position():
                place = with_positions(place, positions)
            elif related := self._relation(place, depth):
                place = related
            elif self.at == mark and place.kind == "thing" and self.text.endswith("ing") and (
                    self._is_name(self.at) and self._sense("relation", 1)):
                self.at += 1   # "the man leaping over the fence"
            else:
                self.at = mark
                break
        return place

    def _position(self):
        """Return the positions that follow a noun: "on the left side of the photo", "in the back", "back right"."""
        mark, found = self.at, ()
        linked = self._sense("relation") in INSIDE or self.text in LINKS
        if linked and not (self._sense("position") and not self._goes_on(1)):
            self.at += 1
        while self._sense("article") or self._sense("main") or self.text in ("far", "very", "most", "extreme"):
            self.at += 1
        while (position := self._sense("position")) and not (self.text == "behind" and self._begins_noun(1)):
            found += (position,)
            self.at += 1
        area = self._sense("area")
        if found and area:
            self.at += 1
            if self._sense("area") == "parts":
                self.at += 1
        elif found and self.text in ("row", "line", "seat", "seats", "rows"):
            self.at += 1
        elif found and (self._sense("noun") or self._is_name(self.at)) and (self._sense("noun") or ("", ))[0] not in (
                "photo",) and linked:
            found = ()   # "on the back wall"
        if found and not linked and (self.text in ("up", "down", "in", "to") and self._sense("position", -1)):
            nouns = self._sense("position", 1) or self._sense("article", 1) or self._sense("noun", 1)
            found = found if self.text == "in" and nouns else ()   # "brighten the dog back up"
        if not found:
            self.at = mark
            return ()
        self._of_photo()
        return found

    def _of_photo(self):
        """Step over "of the photo", "in this picture"."""
        mark = self.at
        if self.text in (*LINKS, "in", "on", "from"):
            self.at += 1
            while self._sense("article") or self._sense("main"):
                self.at += 1
            if (self._sense("noun") or ("",))[0] == "photo" and self.text not in ("everything", "anything", "it"):
                self.at += 1
                return True
        self.at = mark
        return False

    def _more_clothes(self, depth):
        """Step over one more piece of clothing: "in a white shirt with a tie", "in a red shirt, black pants"."""
        mark = self.at
        self.at += bool(self._sense("and") or self.text == "," or self._sense("relation") in ("in", "holding"))
        if self.at > mark and self._phrase(depth + 1, bare=True) and _clothes(self.tokens[mark:self.at]):
            return True
        self.at = mark
        return False

    def _relation(self, place, depth):
        """Return the place with the relation that follows it: "next to the car", "in the blue shirt"; None without."""
        if self._of_photo():
            return place
        mark = self.at
        text, relation = self.text, self._take("relation")
        apart = text == "besides" and place.count is None   # not "the man besides the car"
        if relation is None or apart or place.relation or place.kind == "photo":
            self.at = mark
            return None
        to = self._phrase(depth + 1, bare=relation in ("in", "holding"))   # "in a hat next to the dog": the man is
        if to is None or (to.kind == "photo" and not to.but and relation == "above"):
            self.at = mark   # "a golden tint over it"
            return None
        clothed = relation in ("in", "holding") and _clothes(self.tokens[mark:self.at])
        while clothed and self._more_clothes(depth):
            pass
        side = (text.split()[-2],) if relation == "beside" else ()   # "to the left of"
        place = with_positions(place, side) if side else place
        if to.kind == "photo":
            return place
        if to.kind in ("background", "subject") and relation in INSIDE:
            return with_positions(place, ("back" if to.kind == "background" else "front",))
        if to.kind == "area" and relation in INSIDE:
            return with_positions(place, to.positions or (to.name,))
        if to.kind == "colour" and text == "from":   # "change the shirt from blue to green"
            self.at = mark
            return None
        if to.kind == "colour" and relation == "in" and place.kind == "thing":
            if self._sense("and") and self._sense("colour", 1) and not self._goes_on(2):
                self.at += 2   # "in red and black"
            return replace(place, colour=to.name)
        if text == "with":
            relation = "in" if clothed else "holding" if place.name == "person" else "near"
        return replace(place, relation="near" if relation == "beside" else relation, to=to)


def _clothes(tokens):
    """Return whether a place is a piece of clothing or a part of the body."""
    return any("clothes" in token.senses for token in tokens)
