"""Requests for a white or a transparent background: "put the dog on plain white", "remove the background".

These sentences name a thing to keep more often than a place to change, so patterns read them before the grammar of
wishes. The place of such a wish is "the background", or everything but the thing.
"""
import re
from dataclasses import dataclass

BACK = (r"(?:(?:the|my|this|that|its|all|whole|entire|of|current|black|grey|gray|white|blue|"
        r"green|red|busy|existing|messy|distracting) )*"
        r"(?:background|back ground|backround|backgroud|back ?drop|bg)(?: colou?r)?")
REST = rf"(?:{BACK}|(?:the )?(?:rest|surroundings)(?: of (?:it|the (?:photo|picture|image)))?|everything else)"
COLOUR = (r"(?:(?:an?|in|to|with|into|as|on|be|by|it|pure|plain|clean|solid|completely|totally|all|simple|bright|"
          r"crisp|blank|flat|studio|nice|seamless|just) )*"
          r"(?P<colour>(?<!black and )(?<!black & )white|transparent|see-through)")
KEEP = r"(?P<keep>(?!(?:it|(?:this|that)(?! [a-z]))\b)[a-z][a-z' -]*?)"
MAKE = r"(?:make|making|turn|turning|paint|painting|leave|leaving|have|let|fill|colou?r|keep)"
REMOVE = (r"(?:remov(?:e[ds]?|ing)|delet(?:e|ing)|eras(?:e|ing)|eliminat(?:e|ing)|get(?:ting)? rid of|"
          r"(?:tak(?:e|ing)|took|cut|edit(?:ing)?|crop(?:ping)?|(?:photo)?shop(?:ping)?) (?:out|away)|no)")
END = (r"(?=$|\s*[,.;:!?()\n]|\s+(?:please|thanks|instead|rather|and|so|but|for|to|with|behind|around|from|of|in|on|at|"
       r"that|while|without|or|if|then)\b)")
HERE = (r" (?:(?:from|of|in) (?:it|(?:this|the|my|that) (?:photo|picture|image|pic|shot))|(?:behind|around) "
        r"it\b)")
NEXT = r"and (?:replac|mak|put|chang|turn|remov|eras)"   # a verb of another wish
REPLACED = r"(?!\s*,?\s*(?:and|then|to|,)?\s*(?:replac|put|add|chang|swap|insert|with))"   # by another background

_PATTERNS = [re.compile(pattern) for pattern in (
    rf"(?:cut(?:ting)?|take|extract|remove|crop)(?:[ -]?out)? {KEEP}(?: out)?(?: from (?:the |this )?(?:image|photo|"
    rf"picture|background))?,? and (?:put|set|place|paste) (?:it|him|her|them) on(?:to)? {COLOUR}(?: {BACK})?{END}",
    rf"cut(?:ting)?[ -]?out {KEEP},? and {MAKE} {REST} {COLOUR}{END}",
    rf"{MAKE} (?:everything|all|anything|everyone) (?:but|except|besides|other than|around|behind)(?: for)? {KEEP} "
    rf"{COLOUR}{END}",
    rf"{MAKE} (?:everything|all|anything) {COLOUR} (?:but|except|besides|other than)(?: for)? {KEEP}{END}",
    rf"(?:put|place|set|stick|isolate|isolating|cut|cut out|have|has|get|show|want|need|leave|make) {KEEP} (?:out )?"
    rf"(?:(?:on|onto|against|over|have|has)|in front of) {COLOUR}(?:[ -]{BACK})?{END}",
    rf"(?:isolate|isolating) {KEEP}(?: from (?:its |their )?(?:{REST}))?(?=$|\s*[,.;:!?(\n]|\s+(?:please\b|so\b|for\b|"
    rf"{NEXT}))",
    rf"(?<!the )(?<!that )(?<!this )(?:{MAKE} |add |use |need |want )*{COLOUR}(?: coloured| colored)? {BACK}"
    rf"(?: (?:behind|around) {KEEP})?(?=$|\s*[,.;:!?\n]|\s+(?:please|and|so|but|instead|for)\b)",
    rf"(?:{MAKE} |add |use |need |want |just )*(?:(?:pure|plain|even|clean|solid|all) )*(?P<colour>white|transparent) "
    rf"behind {KEEP}{END}",
    rf"transparent png of {KEEP}{END}",
    rf"(?:whiten(?:ing)?|white[ -]?out|bleach) {BACK}(?: to {COLOUR})?{END}",
    rf"(?:knock(?:ing)? out|lose) {BACK}{END}{REPLACED}",
    rf"{REST}(?: area)?(?:{HERE})?(?: from [a-z]+)?"
    rf"(?: (?:should|must|needs?|has|could|can|ought|changed|turned|made|replaced|removed|and|to|be|become|swapped|"
    rf"painted|for|please))* {COLOUR}{END}(?! (?:shirt|dress|wall|balance|people))",
    rf"{REMOVE} (?!.{{0,12}}\b(?:people|person|man|men|woman|women)\b)(?:everything (?:from|in|on) )?{BACK}"
    rf"(?:{HERE})?(?: (?:from|behind|around|of) {KEEP})?"
    rf"(?:,? (?:and )?(?:make|leave|making|leaving|replace|replacing|change)(?: it| the rest)* {COLOUR}"
    rf"(?: space| area| background)?(?: (?:behind|around) {KEEP.replace('keep', 'other')})?)?"
    rf"(?=$|\s*[,.;:!?(\n]|\s+(?:please|and|so|for|to make)\b){REPLACED}",
)]
_IDLE = re.compile(rf"^(?:only |just |the image of |image of )+|(?: only| please)$| from (?:the (?:image|photo) )?"
                   rf"{BACK}.*")
_NOTHING = re.compile(r"(?:(?:it|them|this|that|me a)$|(?:(?:the|this|my|an?|your|group|old) )*"
                      r"(?:photo|picture|image|pic|shot|screenshot|scan)\b)")


@dataclass(frozen=True)
class Painting:
    """A request for a background: the attribute, the place to paint, and its first and last + 1 character.

    `named` tells whether the words name the colour: "on white", but not "remove the background".
    """

    attribute: str
    where: str
    start: int
    end: int
    named: bool = True


def paintings(request: str) -> list[Painting]:
    """Return the backgrounds that a request, any text, asks for; parts of the text do not overlap."""
    text, found = request.lower().replace("\u2019", "'"), []
    if len(text) != len(request):   # a few capital letters have longer small forms
        return []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            fields = match.groupdict()
            kept = _IDLE.sub("", (fields.get("keep") or fields.get("other") or "").strip())
            colour = "white" if fields.get("colour") == "white" else "transparent"
            named = bool(fields.get("colour"))
            if not named:
                colour = "transparent" if "transparent" in match[0] else "white"
            where = "the background" if not kept or _NOTHING.match(kept) else f"everything but {kept}"
            found.append(Painting(f"{colour} background", where, match.start(), match.end(), named))
    return sorted(found, key=lambda one: one.start)
