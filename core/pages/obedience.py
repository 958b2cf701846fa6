"""The page of an obedience test: a table of counts, and the sentences that failed, with examples."""
from pathlib import Path

from dominate import tags

from core.pages.document import write_document
from core.pages.pictures import SMALL, Pictures
from core.requests.wish import COLOURS

HEADERS = ("suite", "asked for", "right", "asked", "share", "95% interval")
TITLES = {"direction": "Direction", "direction_real": "Direction, real requests", "opposites": "Opposites",
          "degree": "Degree", "negation": "Negation", "two_wishes": "Two wishes",
          "many_wishes": "Three and four wishes", "casts": "Casts", "amounts": "Amounts", "paraphrase": "Paraphrase",
          "typo": "Typos", "no_op": "No-op"}
MOVED = {"bright": ("brighter", "darker"), "contrast": ("more contrast", "less contrast"),
         "sat": ("more colourful", "less colourful"), "warm": ("warmer", "cooler"), "sharp": ("sharper", "blurrier")}
MOVED |= {f"{colour}_cast": (f"more {colour}", f"less {colour}") for colour in COLOURS}
HELD = {"opposites": "the opposite moves the other way", "degree": "the stronger sentence moves visibly further",
        "paraphrase": "nearly the partner's result", "typo": "nearly the partner's result"}


def write_obedience(folder, title, rows, failures, notes=()):
    """Write `folder`/index.html and return its path.

    Args:
        rows: dicts {suite, asked_for (None: the whole suite), right, asked, share, interval ([low, high] or None)}.
        failures: an iterable of dicts, in the order to be shown:
            suite, sentence: str
            partner: the sentence with which it was compared, or None
            asks: requested changes, such as "bright+ sat-"; empty if no change is requested
            keeps: names of attributes that must not change
            right, asked: numbers of photos on which the sentence was right, and on which it was tested
            failed: names of the photos on which the sentence was wrong
            examples: dicts {caption, image}, image uint8 (H, W, 3); may be empty
        notes: sentences below the heading.
    """
    folder = Path(folder)
    pictures = Pictures(folder)
    sections, count = {}, 0
    for count, failure in enumerate(failures, start=1):
        sections.setdefault(failure["suite"], []).append(_card(pictures, count, **failure))
    content = [element for suite, cards in sections.items()
               for element in (tags.h2(f"{TITLES.get(suite, suite)}: {len(cards)} sentences failed on a photo",
                                       id=suite), *cards)]
    write_document(folder / "index.html", title, *(tags.p(note, cls="note") for note in notes),
                   _table(rows, sections), *(content or [tags.p("No sentence failed.", cls="note")]))
    pictures.discard_others()
    return folder / "index.html"


def _table(rows, sections):
    table = tags.table(tags.thead(tags.tr(*(tags.th(header, scope="col", cls="number" if index > 1 else "")
                                            for index, header in enumerate(HEADERS)))))
    with table.add(tags.tbody()):
        for row in rows:
            name, whole = TITLES.get(row["suite"], row["suite"]), row["asked_for"] is None
            with tags.tr():
                tags.th(tags.a(name, href=f"#{row['suite']}") if whole and row["suite"] in sections else
                        name if whole else "", scope="row")
                tags.td(tags.b("all") if whole else row["asked_for"])
                for text in (row["right"], row["asked"], percent(row["share"]), interval_of(row["interval"])):
                    tags.td(str(text), cls="number")
    return tags.div(table, cls="wide")


def percent(share):
    """Return a share in [0, 1] as text in per cent; None, the share of nothing, gives "-"."""
    return "-" if share is None else f"{100 * share:.1f}%"


def interval_of(interval):
    """Return an interval of shares as text; None, the interval of a single photo, gives "undefined"."""
    return "undefined" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}%"


def expectation(suite, asks, keeps=()):
    """Return the expected change of a sentence in words, such as "brighter and less colourful"."""
    wishes = " and ".join(MOVED[wish[:-1]][wish[-1] == "-"] for wish in asks.split()) or "no change"
    kept = [f"{name} kept" for name in keeps]
    return ", ".join([wishes, *kept, *([HELD[suite]] if suite in HELD else [])])


def _card(pictures, number, *, suite, sentence, partner, asks, keeps, right, asked, failed, examples):
    expected = expectation(suite, asks, keeps)
    header = tags.header(tags.p(f"right on {right} of {asked} photos · expected: {expected}", cls="name"),
                         tags.h2(sentence))
    if partner is not None:
        header.add(tags.p(f"compared with: {partner}", cls="about"))
    header.add(tags.p(f"wrong on: {', '.join(failed)}", cls="name"))
    shown = [tags.figure(pictures.add(f"{number:04d}_{index}", example["image"], f"{example['caption']}: {sentence}",
                                      SMALL), tags.figcaption(example["caption"]))
             for index, example in enumerate(examples)]
    return tags.article(header, *([tags.div(*shown, cls="compare")] if shown else []))
