"""The page of grounding: the least overlap first, words escaped, segments coloured and outlined."""
import numpy as np

from core.pages.grounding import coloured, write_grounding

MASKS = np.zeros((2, 20, 30), bool)
MASKS[0, :, :10], MASKS[1, :, 20:] = True, True
PHOTO = np.full((20, 30, 3), 128, np.uint8)


def result(words, iou):
    return {"name": "a.png", "words": words, "photo": PHOTO, "segments": MASKS, "scores": np.array([0.1, 0.9]),
            "chosen": np.array([False, True]), "truth": MASKS[1], "iou": iou,
            "read": {"subject": (0.75, [("<b>dog</b>", 1.0)])}}


def test_results_are_sorted_by_their_overlap_and_escaped(tmp_path):
    page = write_grounding(tmp_path, "a <title>", [result("good", 0.9), result("<script>bad", 0.1)])
    text = page.read_text()
    assert text.index("&lt;script&gt;bad") < text.index("good") and "<script>bad" not in text
    assert "&lt;b&gt;dog" in text and "subject 0.75" in text and "IoU 0.90" in text
    assert len(list(tmp_path.rglob("*.jpg"))) == 4


def test_the_best_segment_is_warm_the_worst_cold_and_the_rest_unchanged():
    shown = coloured(PHOTO, MASKS, np.array([0.1, 0.9]), np.array([False, False]), np.zeros((20, 30), bool))
    cold, plain, warm = shown[10, 4].astype(int), shown[10, 14], shown[10, 25].astype(int)
    assert cold[2] > cold[0] and warm[0] > warm[2] and (plain == 128).all()
    outlined = coloured(PHOTO, MASKS, np.array([0.1, 0.9]), np.array([False, True]), MASKS[0])
    assert (outlined == 255).all(2).any() and not (shown == 255).all(2).any()
