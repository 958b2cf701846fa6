"""The gate: nothing is edited that nobody asked for, and every wish is checked on the result."""
import numpy as np
import pytest
import torch

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL
from core.methods.gate import EXAMPLES, MOST_WORDS, Gate, Refusal, operators_of, understand
from core.methods.mend import UNASKED
from core.methods.planner import Edited
from core.methods.wishes import plan_wishes
from core.operators import Plan, Step
from core.planning.curves import curve_weights
from core.requests import reader
from core.requests.reader import Reading
from core.requests.wish import CANNOT, LOOKS, REPAIRS, Wish

NOTEBOOK = ("brightness", "contrast", "saturation", "hue", "tint", "sharpness")
BRIGHTER, DARKER, DULLER = (Step.make(*step) for step in (
    ("brightness", 0.3), ("brightness", -0.3), ("saturation", -0.5)))
COLDER = Step.make("hue", np.concatenate([curve_weights(lambda level, power=power: level ** power)
                                          for power in (1.2, 1, 0.85)]))


class Planner:
    """A planner that answers every request with one plan, and counts the requests."""

    operators, vocab, unasked = NOTEBOOK, WordVocab((*SPECIAL, "make", "it", "brighter")), UNASKED

    def __init__(self, *steps):
        self.plan, self.asked, self.requests = Plan(steps), 0, []

    def plans(self, image, requests):
        self.asked += len(requests)
        self.requests += requests
        return [Edited(image, self.plan) for _ in requests]


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(96, 128)).permute(2, 0, 1) / 255 * 0.6 + 0.2


def is_nearly(plan, *steps):
    """Return whether a plan has these steps, whose main parameter mending may have moved a little."""
    return [step.op for step in plan] == [step.op for step in steps] and all(
        abs(found.params[0] - step.params[0]) < 0.05 for found, step in zip(plan, steps, strict=True))


@pytest.fixture()
def reads(monkeypatch):
    """Return `reads(*wishes, **others)`: from now on every request is read like this."""
    def arrange(*wishes, **others):
        monkeypatch.setattr(reader, "read", lambda request, tagger=None: Reading(tuple(wishes), **others))
    return arrange


# Refusals

@pytest.mark.parametrize(("wishes", "others", "words"), [
    ((Wish("adding", where="the bin"),), {}, 'adding ("the bin") cannot be done yet'),
    ((Wish("style", span=(0, 7)),), {}, 'style ("request") cannot be done yet'),
    ((Wish("light", where="the sky"),), {}, 'light: is done for whole photos only, not for a part ("the sky")'),
    ((), {"language": "German"}, "the request seems to be in German, and LDIE reads English only so far"),
    ((), {"contradictions": ("light",)}, "asks for both more and less light"),
    ((), {"not_understood": ("flurbish", "glorp")}, 'these words were not understood: "flurbish", "glorp"'),
    ((), {"not_understood": tuple("abcdefgh")}, '"a", "b", "c", "d", "e" and 3 more'),
    ((), {"not_understood": ("<b>\n\x1b[31m",)}, '"<b> [31m"'),
    ((), {"not_understood": ("w" * 5000,)}, f'"{"w" * 56} ..."'),
    ((Wish("unchanged"), Wish("adding", where="the bin")), {}, "adding"),
    ((Wish("contrast", 0),), {"contradictions": ("light",)}, "both more and less light"),
    ((), {}, "no change of a photo was found in the request")])
def test_a_request_of_nothing_that_can_be_done_is_one_sentence_with_examples(wishes, others, words, reads, image):
    reads(*wishes, **others)
    planner = Planner(BRIGHTER)
    with pytest.raises(Refusal) as refusal:
        Gate(planner)(image, "request")
    sentence = str(refusal.value)
    assert words in sentence
    assert all(example in sentence for example in EXAMPLES)
    assert sentence.isprintable()
    assert (refusal.value.code, planner.asked) == (3, 0)
    assert refusal.value.reading.wishes == wishes


@pytest.mark.parametrize(("request_text", "words"), [
    ("", "the request has no words"), (" ! ? ", "no words"), ("\U0001f389\U0001f31e", "no words"),
    ("\x00\x07", "no words"),
    ("brighter " * 5000, f"the request has 5000 words, and at most {MOST_WORDS} are read")])
def test_texts_that_are_no_request_are_not_even_read(request_text, words, monkeypatch):
    monkeypatch.setattr(reader, "read", lambda request, tagger=None: pytest.fail("was read"))
    with pytest.raises(Refusal, match=words):
        understand(request_text)


def test_the_examples_of_a_refusal_can_be_done():
    for example in EXAMPLES:
        assert all(wish.executable for wish in understand(example).wishes)


NONSENSE = ("flurbish the glorp", "remove the bin", "entferne den Mast", "asdf qwer", "hello", "\u53d8\u4eae",
            "<script>alert(1)</script>", "the cat sat on the mat")


def test_without_a_reader_nothing_is_refused(reads, image):
    for request in NONSENSE:
        with pytest.raises(Refusal):
            understand(request)
    reads(Wish("light"))
    assert all(len(Gate(Planner())(image, request).plan) == 1 for request in NONSENSE)


# No change

@pytest.mark.parametrize("wishes", [(Wish("unchanged"),), (Wish("sharpness", 0),),
                                    (Wish("light", 0), Wish("contrast", 0, where="the sky"))])
def test_an_understood_no_change_has_an_empty_plan(wishes, reads, image):
    reads(*wishes)
    planner = Planner(BRIGHTER)
    answer = Gate(planner)(image, "request")
    assert (answer.plan, answer.notes, planner.asked) == (Plan(), [], 0)
    assert [row["granted"] for row in answer.wishes()] == [True if wish.attribute == "unchanged" else None
                                                           for wish in wishes]


# Checked wishes

def test_a_planner_that_grants_the_wishes_is_left_alone(reads, image):
    reads(Wish("light"), Wish("saturation", -1))
    answer = Gate(Planner(BRIGHTER, DULLER))(image, "request")
    assert is_nearly(answer.plan, BRIGHTER, DULLER)
    assert (answer.planned, answer.notes) == (2, [])
    assert [(outcome.granted, outcome.served) for outcome in answer.outcomes] == [(True, False)] * 2
    assert answer.outcomes[0].change > 5


def test_a_wish_that_the_planner_fails_is_served_and_its_other_steps_stay(reads, image):
    reads(Wish("light"), Wish("temperature"))
    answer = Gate(Planner(BRIGHTER, COLDER))(image, "request")
    assert [step.op for step in answer.plan] == ["brightness", "white_balance"]
    assert answer.planned == 1
    assert [(outcome.granted, outcome.served) for outcome in answer.outcomes] == [(True, False), (True, True)]
    assert "keyword plan" in answer.explain().splitlines()[3]


def test_a_step_in_the_wrong_direction_is_mended(reads, image):
    reads(Wish("light"))
    answer = Gate(Planner(DARKER))(image, "request")
    assert [step.op for step in answer.plan] == [DARKER.op]
    assert answer.plan.steps[0].params[0] > 0
    assert [(outcome.granted, outcome.served) for outcome in answer.outcomes] == [(True, False)]


def test_a_planner_that_fails_all_wishes_is_replaced_by_the_keyword_plan(reads, image):
    wishes = (Wish("temperature"), Wish("contrast"))
    reads(*wishes)
    answer = Gate(Planner(DARKER, COLDER))(image, "request")
    assert [step.op for step in answer.plan] == [step.op for step in plan_wishes(wishes, image)]
    assert answer.planned == 0
    assert all(outcome.granted and outcome.served for outcome in answer.outcomes)


@pytest.mark.parametrize("wish", [Wish("vignette"), Wish("light", 1, 5), Wish("rotate"), Wish("flip", -1)])
def test_wishes_that_no_planner_can_read_are_served_without_asking_it(wish, reads, image):
    reads(wish)
    planner = Planner(BRIGHTER)
    answer = Gate(planner)(image, "request")
    assert ([step.op for step in answer.plan], planner.asked) == ([step.op for step in plan_wishes([wish], image)], 0)
    assert answer.outcomes[0].granted


def test_five_per_cent_is_less_than_thirty(reads, image):
    changes = []
    for percent in (5, 30):
        reads(Wish("light", 1, percent))
        changes.append(Gate(Planner(BRIGHTER))(image, "request").outcomes[0].change)
    assert 0 < 3 * changes[0] < changes[1]


def test_a_step_of_the_planner_for_the_attribute_of_a_number_is_left_out(reads, image):
    reads(Wish("light", 1, 5), Wish("saturation", -1))
    answer = Gate(Planner(BRIGHTER, DULLER))(image, "request")
    assert [step.op for step in answer.plan] == ["saturation", "exposure_soft"]


def test_parts_that_cannot_be_done_are_named_and_the_rest_is_done(reads, image):
    reads(Wish("light"), Wish("contrast", where="the sky"), Wish("adding", where="the bin"),
          not_understood=("glorp",))
    answer = Gate(Planner(BRIGHTER, Step.make("contrast", 0.5)))(image, "request")
    assert is_nearly(answer.plan, BRIGHTER)   # the planner took the contrast of the sky for the photo's
    assert ["the sky" in note or "the bin" in note or "glorp" in note for note in answer.notes] == [True] * 3
    assert [row["granted"] for row in answer.wishes()] == [True, False, False]


def test_a_step_for_an_attribute_to_keep_is_left_out(reads, image):
    reads(Wish("light"), Wish("saturation", 0))
    plan = Gate(Planner(BRIGHTER, DULLER))(image, "request").plan
    assert [step.op for step in plan] == [BRIGHTER.op]
    assert 0 < plan.steps[0].params[0] < BRIGHTER.params[0]   # brightening moves the saturation, too


def test_words_that_the_planner_cannot_read_are_named(reads, image):
    reads(Wish("light"))
    answer = Gate(Planner(BRIGHTER))(image, "make it brighter, flurbish " * 5)
    assert "the request is longer than the planner reads: its first 15 words" in answer.remarks[0]
    assert answer.remarks[1] == "words that the planner does not know: flurbish"


def test_a_request_in_other_words_is_said_in_words_that_the_planner_knows(reads, image):
    planner = Planner(BRIGHTER)
    planner.vocab = WordVocab((*SPECIAL, "slightly", "more", "light"))
    reads(Wish("light", 1, "slight"))
    answer = Gate(planner)(image, "illuminate this just a smidgen")
    assert (planner.requests, answer.remarks) == (["slightly more light"], [])
    assert answer.request == "illuminate this just a smidgen"


def test_a_rare_word_counts_as_one_that_the_planner_does_not_know(reads, image):
    planner = Planner(BRIGHTER)
    planner.vocab = WordVocab((*SPECIAL, "more", "light", "illuminate", "it"), rare=("illuminate",))
    reads(Wish("light"))
    Gate(planner)(image, "illuminate it")
    assert planner.requests == ["more light"]


def test_typing_errors_are_corrected_before_the_planner_reads_a_request(reads, image):
    planner = Planner(BRIGHTER)
    planner.vocab = WordVocab((*SPECIAL, "more", "light", "some", "brightness"))
    reads(Wish("light"))
    for request in ("Some brigthness", "Some brightness", "some brigthness here"):
        Gate(planner)(image, request)
    assert planner.requests == ["Some brightness", "Some brightness", "more light"]


def test_an_attribute_that_another_step_moves_far_enough_needs_no_step_but_a_tint_does_not_count(reads, image):
    reads(Wish("light"), Wish("saturation"))
    bright = Gate(Planner(BRIGHTER))(image, "request")
    assert [step.op for step in bright.plan] == ["brightness"]   # of the channels, so it moves the saturation, too
    assert all(outcome.granted for outcome in bright.outcomes)
    reads(Wish("temperature"), Wish("saturation"))
    warm = Gate(Planner(Step.make("white_balance", (3, 0))))(image, "request")
    assert [step.op for step in warm.plan] == ["white_balance", "chroma"]


def test_a_step_that_another_wish_needs_stays_when_the_planner_fails_a_wish(reads, image):
    brighter = Step.make("tone_curve_smooth", [0.1, 0.35, 0.62, 0.85, 1])
    reads(Wish("light"), Wish("contrast", 1, "strong"), Wish("clarity"))
    assert Gate(Planner(brighter))(image, "request").plan.steps[0].op == "tone_curve_smooth"


def test_a_step_of_the_keyword_plan_is_weaker_beside_steps_of_the_planner(reads, image):
    reads(Wish("temperature"))
    alone = Gate(Planner())(image, "request").plan.steps[-1]
    reads(Wish("light"), Wish("temperature"))
    beside = Gate(Planner(BRIGHTER))(image, "request").plan.steps[-1]
    assert (alone.op, beside.op) == ("white_balance", "white_balance")
    assert 0 < beside.params[0] < alone.params[0]


def test_turns_beside_steps_of_the_planner_are_not_weaker(reads, image):
    reads(Wish("light"), Wish("rotate"))
    assert [step.params[0] for step in Gate(Planner(BRIGHTER))(image, "request").plan if step.op == "rotate"] == [-90]


def test_of_two_wishes_for_one_attribute_the_last_counts(reads, image):
    reads(Wish("light", -1), Wish("light"))
    answer = Gate(Planner(BRIGHTER))(image, "request")
    assert is_nearly(answer.plan, BRIGHTER)
    assert [row["granted"] for row in answer.wishes()] == [None, True]


def test_a_wish_that_the_photo_cannot_show_is_done_and_named(reads):
    reads(Wish("blue", -1))
    answer = Gate(Planner())(torch.full((3, 20, 30), 0.4), "request")
    assert answer.notes == ["asked: less blue; not granted: the photo is of one colour"]
    assert not answer.outcomes[0].granted


def test_several_wishes_of_the_keyword_plan_are_measured_one_by_one(reads, image):
    reads(Wish("light", -1), Wish("shadows"))   # the shadows of the result are darker than before, but lifted
    assert [outcome.granted for outcome in Gate(Planner())(image, "request").outcomes] == [True, True]


# Repairs and geometry

def test_a_repair_is_the_planners_if_the_photo_then_lacks_nothing(reads, image):
    reads(Wish("exposure repair"))
    dark = image * 0.5
    assert Gate(Planner(Step.make("brightness", 0.8)))(dark, "request").planned == 1
    for useless in ((), (DULLER,)):
        answer = Gate(Planner(*useless))(dark, "request")
        assert [step.op for step in answer.plan] == ["exposure_soft"]
        assert answer.outcomes[0].granted


def test_a_repair_of_a_photo_that_lacks_nothing_is_said(reads, image):
    reads(Wish("exposure repair"))
    answer = Gate(Planner())(image, "request")
    assert (answer.plan, answer.outcomes[0].granted) == (Plan(), True)
    assert answer.notes == ["exposure repair: the photo needs no repair"]


def test_a_repair_of_the_planner_is_left_out_of_a_photo_that_lacks_nothing(reads, image):
    reads(Wish("exposure repair"))
    answer = Gate(Planner(Step.make("exposure_soft", 0.8)))(image, "request")
    assert (answer.plan.steps, answer.outcomes[0].idle) == ((), True)
    reads(Wish("exposure repair"), Wish("light"))
    answer = Gate(Planner(Step.make("exposure_soft", 0.8)))(image, "request")
    assert [step.op for step in answer.plan] == ["exposure_soft"]


def test_a_cast_that_the_planner_makes_worse_is_repaired(reads, image):
    reads(Wish("cast repair"))
    blue = (image.mean(0, keepdim=True) * torch.tensor([0.8, 0.9, 1.0]).view(3, 1, 1)).clamp(0, 1)
    answer = Gate(Planner(COLDER))(blue, "request")
    assert [step.op for step in answer.plan] == ["white_balance"]
    assert answer.plan.steps[0].params[0] > 0


def test_straightening_without_an_angle_is_refused_or_named(reads, image):
    reads(Wish("straighten"))
    with pytest.raises(Refusal, match="name an angle"):
        Gate(Planner())(image, "request")
    reads(Wish("straighten"), Wish("light"))
    answer = Gate(Planner(BRIGHTER))(image, "request")
    assert is_nearly(answer.plan, BRIGHTER)
    assert "name an angle" in answer.notes[0]


def test_operators_of_attributes():
    assert operators_of("light") >= {"exposure_soft", "brightness", "exposure", "tint"}
    assert operators_of("cast repair") == {"white_balance", "hue"}
    assert all(operators_of(name) for name in (*LOOKS, *REPAIRS))
    assert not any(map(operators_of, (*CANNOT, "rotate", "unchanged")))


# Words

def test_the_explanation_shows_words_changes_and_origins(reads, image):
    request = "brighten it, remove the bin"
    reads(Wish("light", span=(0, 8)), Wish("adding", where="the bin", span=(13, 19)), Wish("vignette", 1, "slight"))
    text = Gate(Planner(BRIGHTER))(image, request).explain()
    light, removal, vignette = text.splitlines()[2:5]
    assert '"brighten"' in light and "yes" in light and "planner" in light
    assert 'adding of "the bin"' in removal and '"remove"' in removal and "no" in removal
    assert "more vignette, slight" in vignette and "keyword plan" in vignette
    assert 'adding ("the bin") cannot be done yet' in text
    assert "words that the planner does not know: brighten, remove, the, bin" in text


@pytest.mark.parametrize("size", [(1, 1), (3, 200)])
def test_tiny_photos_pass(size, reads):
    reads(*map(Wish, ("light", "sharpness", "haze", "enhance", "rotate", "hdr")))
    assert Gate(Planner(BRIGHTER))(torch.rand(3, *size), "request").image.isfinite().all()
