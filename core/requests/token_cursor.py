"""A position in the tokens of a region phrase, and questions about the next tokens."""
from core.requests.place_words import Token
from core.requests.words import is_known

SUBJECTS = ("i", "he", "she", "me", "we", "they", "it", "us")   # they begin another clause: "the board they hold"


class TokenCursor:
    """The tokens of a region phrase; `at` is the index of the next one."""

    def __init__(self, tokens: list[Token], at: int = 0) -> None:
        """Begin at a token."""
        self.tokens, self.at = tokens, at

    @property
    def text(self) -> str:
        """The next token's text; empty at the end."""
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _sense(self, sense, ahead=0):
        """Return the value of a sense of the next token, or of one further ahead; None without the sense."""
        at = self.at + ahead
        return self.tokens[at].senses.get(sense) if at < len(self.tokens) else None

    def _take(self, sense):
        """Step over the next token if it has the sense, and return the value."""
        value = self._sense(sense)
        self.at += value is not None
        return value

    def _comma(self):
        """Step over a comma if an article or another place follows it."""
        follows = self.text == "," and (
            self._sense("and", 1) or self._sense("except", 1) or (
                self._sense("noun", 1) and not self._sense("pronoun", 1)) or (
                self._sense("article", 1) and self._goes_on(2)))
        self.at += bool(follows)
        return follows

    def _is_filler(self):
        """Return whether a word before a noun has no meaning for the place: an article, an unknown adjective."""
        if self._sense("article"):
            return not self._sense("noun") or self._goes_on(1)   # "her dress", but not "brighten her"
        return bool(self._sense("polite") or self._sense("main") or self.text in ("of", "far", "most")
                    or (self.tokens[self.at].unknown and self._goes_on(1)
                        and self.tokens[self.at + 1].text not in SUBJECTS))

    def _turns_noun(self):
        """Return whether a position is not a noun of its own here: "background people", not "the background"."""
        return not self._sense("noun") or self._goes_on(2 if self._sense("colour", 1) else 1)   # "the background black"

    def _goes_on(self, ahead):
        """Return whether a noun phrase goes on after some tokens."""
        at = self.at + ahead
        if at >= len(self.tokens):
            return False
        senses = self.tokens[at].senses.keys()
        noun = senses & {"noun", "area", "position", "colour", "size", "tone", "hue"} and not senses & {"relation"}
        return bool(noun and ("stop" not in senses or "noun" in senses)) or self._is_name(at)

    def _is_name(self, at):
        """Return whether the token at `at` is a noun that places.toml does not have."""
        token = self.tokens[at] if at < len(self.tokens) else None
        return token is not None and token.unknown and len(token.text) > 1 and not is_known(token.text)

    def _is_link(self):
        """Return whether a word only links a noun with a position or a relation: "who is", "standing"."""
        positioned = self._sense("position") and not self._sense("relation", 1) and self.text not in ("far", "way")
        related = self._sense("relation") and self._begins_noun(1)   # "riding the bike", but not "riding on the left"
        return bool(self._sense("relative") and not positioned and not related)

    def _links_relation(self):
        """Return whether "from" only begins a relation: "the people from directly in front of the car"."""
        ahead = next((ahead for ahead in range(1, 4) if not self._sense("relative", ahead)), 4)
        return self.text == "from" and bool(self._sense("relation", ahead))

    def _is_particle(self):
        """Return whether a word belongs to a verb around a noun: "take the girl out on the right"."""
        return self.text in ("out", "away") and bool(self._sense("relation", 1))

    def _counts_all(self):
        """Return whether "all" belongs to the next noun: "all people", "all the dogs", but not "all but the dog"."""
        ahead = next((ahead for ahead in range(1, 4) if not self._sense("article", ahead)), 4)
        relation = self._sense("relation", 1) or self._sense("except", 1)
        return self.text == "all" and not relation and self._goes_on(ahead)

    def _begins_noun(self, ahead):
        """Return whether a noun phrase begins after some tokens."""
        if self._goes_on(ahead):   # "her"
            return True
        ahead += bool(self._sense("article", ahead))
        return self._goes_on(ahead + bool(self._sense("number", ahead)))   # "the two girls"

    def _ordered_from(self):
        """Return whether "from the left" follows, or "on the left": the side from which things are counted."""
        return any("position" in token.senses for token in self.tokens[self.at:self.at + 5])

    def _owned(self):
        """Return whether a shadow is that of a thing: "his shadow", "the dog's shadow", "the shadow of the dog"."""
        before = self.tokens[self.at - 1] if self.at else None
        return (before is not None and (before.owns or before.text in ("his", "her", "their", "my", "its", "our"))) or (
            self.text == "shadow" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].text == "of")
