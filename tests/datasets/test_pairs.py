"""Pairs: samples of the documented shape, encoded plans, and one sentence for every mistake."""
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from small_dataset import entries_of, write_dataset
from torch.utils.data import DataLoader

from core.datasets import DATASETS, PairDataset, Source, WordVocab, load_dataset
from core.datasets.pairs import encode_plan
from core.datasets.vocab import SPECIAL
from core.files import UserError
from core.operators import Mask, OperatorVocab, Plan, Step

VOCAB = WordVocab((*SPECIAL, "make", "it", "brighter", "the"))


@pytest.fixture
def root(tmp_path, photo):
    return write_dataset(tmp_path / "set", photo, {"train": entries_of(range(4))})


@pytest.fixture
def opened(root, tmp_path):
    """Return `open(**options)`: the training phase of the small data set."""
    def make(**options):
        return PairDataset(root, "train", 1, VOCAB, **{"size": 16, "cache": tmp_path / "cache", **options})
    return make


def edit(root, change, name="train_sess_1.json"):
    """Rewrite an annotation through `change(entries)`."""
    path = root / "annotations" / name
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries))


def test_masks_take_the_place_of_the_words_that_say_where(opened, root):
    edit(root, lambda entries: entries[0].update(request="brighten the dog") or entries[1].update(request="make the"))
    plain, masked = opened(), opened(masks="union")
    words = [VOCAB.decode(dataset[0]["request_ids"].tolist()) for dataset in (plain, masked)]
    assert ("the" in words[0], "the" in words[1]) == (True, False)
    assert masked[0]["request"] == "brighten the dog"
    assert torch.equal(plain[1]["request_ids"], masked[1]["request_ids"])   # no wish was found
    assert opened(masks="candidates")[0]["masks"] == []
    assert torch.equal(opened(masks="union", places=True)[0]["request_ids"], plain[0]["request_ids"])


def test_thumbnails_are_squashed_samples(opened):
    dataset = opened()
    sample = dataset[0]
    assert len(dataset) == 4
    assert set(sample) == {"input", "target", "request", "request_ids", "name"}
    for key in ("input", "target"):
        assert sample[key].shape == (3, 16, 16)
        assert sample[key].dtype == torch.float32
        assert 0 <= sample[key].min() < sample[key].max() <= 1
    assert sample["request"] == "make it brighter"
    assert sample["request_ids"].tolist() == [1, 4, 5, 6, 2] + [0] * 12
    assert sample["name"] == "0000_O.jpg>0000_A.jpg"


def test_pairs_are_selected_by_their_experts(opened, root):
    edit(root, lambda entries: entries.extend(entry | {"output": entry["input"]} for entry in entries[:2]))
    assert [entry["output"][-5] for entry in opened().annotations] == list("AAAAOO")
    assert [entry["output"][-5] for entry in opened(data_mode="O").annotations] == list("OO")
    assert len(opened(data_mode="O+A")) == 6
    with pytest.raises(UserError, match="no output of .* is of expert 'B'; the file's experts are: A, O"):
        opened(data_mode="A+B")


def test_own_size_is_bounded_by_the_short_edge(opened):
    assert opened(size=None)[0]["input"].shape == (3, 48, 64)
    assert opened(size=None, short_edge=24)[0]["target"].shape == (3, 24, 32)


def test_outputs_of_another_size_are_resized_and_counted(opened, root, photo):
    Image.fromarray(photo(24, 32)).save(root / "images" / "0002_A.jpg")
    for size in (None, 16):
        dataset = opened(size=size)
        assert dataset.resized == ["0002_O.jpg>0002_A.jpg"]
        assert any("differ in size" in sentence and "0002_A.jpg" in sentence for sentence in dataset.report())
        assert dataset[2]["target"].shape == dataset[2]["input"].shape


def test_a_set_without_any_target_opens_if_targets_are_not_needed(opened, root):
    for number in range(4):
        (root / f"images/{number:04d}_A.jpg").unlink()
    with pytest.raises(UserError, match=r"4 of the 8 images .* are missing"):
        opened(size=None)
    for size in (None, 16):
        dataset = opened(size=size, need_targets=False)
        assert dataset[1]["target"] is None
        assert dataset[1]["input"].shape[0] == 3
        assert "all 4 targets are missing: measures that need a target are left out" in dataset.report()


def test_a_set_that_lacks_only_some_targets_is_refused(opened, root):
    (root / "images/0002_A.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of the 8 images .* are missing \(0002_A\.jpg\)"):
        opened(size=None, need_targets=False)


def test_batches_come_from_workers(opened):
    batches = list(DataLoader(opened(plans={name_of(i): PLAN for i in range(4)}), batch_size=2, num_workers=2))
    assert batches[1]["input"].shape == (2, 3, 16, 16)
    assert batches[1]["ops"].shape == (2, 7)


PLAN = Plan((Step.make("contrast", [0.5]), Step.make("tint", range(1, 9))))


def name_of(number):
    return f"{number:04d}_O.jpg>{number:04d}_A.jpg"


LEFT = Mask.from_array([[1, 1, 0, 0]] * 3)
MASKED = Plan((Step.make("contrast", [0.5], LEFT), Step.make("brightness", [0.2])))


def test_pairs_with_masks_are_kept_on_demand(opened):
    plans = {name_of(0): MASKED, name_of(1): Plan((Step.make("contrast", [0.5], LEFT),)), name_of(2): Plan()}
    with pytest.raises(UserError, match="has a plan of unmasked steps"):
        opened(plans={name_of(0): MASKED})
    assert opened(plans=plans).masked == [name_of(0), name_of(1)]
    union = opened(plans=plans, masks="union")
    assert union.masked == []
    assert [union[index]["masks"].shape for index in range(3)] == [(1, 16, 16)] * 3
    assert [union[index]["masks"].mean().item() for index in range(3)] == [1, 0.5, 0]
    assert union[1]["masks"][0, :, :6].min() == 1
    steps = opened(plans=plans, masks="steps")[0]
    assert steps["masks"].shape == (5, 1, 16, 16)
    assert steps["masks"].mean((1, 2, 3)).tolist() == [0.5, 1, 0, 0, 0]
    assert steps["ops"].tolist()[1:4] == [OperatorVocab().ids[name] for name in ("contrast", "brightness", "<END>")]


def test_a_set_without_masks_edits_the_whole_photo(opened):
    assert (opened(masks="union")[0]["masks"] == 1).all()
    with pytest.raises(ValueError, match="masks 'steps': must be None or one of .*candidates; steps need plans"):
        opened(masks="steps")


def test_plans_are_encoded(opened):
    vocab = OperatorVocab()
    sample = opened(plans={name_of(i): PLAN for i in range(4)}, op_vocab=vocab)[3]
    assert sample["ops"].tolist() == [1, vocab.ids["contrast"], vocab.ids["tint"], 2, 0, 0, 0]
    assert sample["params"].shape == (5, 24)
    assert sample["params"][0].tolist() == [0.5] + [0] * 23
    assert sample["params"][1, :8].tolist() == pytest.approx([i / 4.5 for i in range(1, 9)])
    assert not sample["params"][1, 8:].any()


def test_pairs_without_a_usable_plan_are_left_out_and_listed(opened):
    masked = Plan((Step.make("color_bg", mask=Mask.from_array([[0, 1]])),))
    curves = Step.make("hue", [1] * 24), Step.make("tint", [1] * 8)
    long = Plan((*(Step.make(op, [0.1]) for op in ("brightness", "contrast", "saturation", "sharpness")), *curves))
    dataset = opened(plans={name_of(0): PLAN, name_of(1): masked, name_of(3): long})
    report = "\n".join(dataset.report())
    assert [dataset[i]["name"] for i in range(len(dataset))] == [name_of(0), name_of(3)]
    assert f"1 pairs have no plan and are left out: {name_of(2)}" in report
    assert f"are left out: {name_of(1)}" in report
    assert f"cut to the first 5: {name_of(3)}" in report
    assert dataset[1]["ops"].tolist() == [1, 3, 4, 5, 9, 6, 2]


def test_a_plan_ends_before_it_repeats_an_operator_and_is_counted(opened):
    twice = Plan(tuple(Step.make(op, [p]) for op, p in (("contrast", 0.1), ("brightness", 0.2), ("contrast", 0.3))))
    dataset = opened(plans={name_of(0): twice, name_of(1): PLAN})
    assert dataset[0]["ops"].tolist() == [1, 4, 3, 2, 0, 0, 0]
    assert dataset[0]["params"][:, 0].tolist() == pytest.approx([0.1, 0.2, 0, 0, 0])
    assert any("1 plans repeat an operator" in sentence and sentence.endswith(name_of(0))
               for sentence in dataset.report())


@given(st.lists(st.sampled_from(("brightness", "contrast", "saturation", "sharpness")), max_size=9))
def test_the_longest_beginning_without_a_repeated_operator_is_encoded(operators):
    vocab = OperatorVocab()
    ops, _ = encode_plan(Plan(tuple(Step.make(op, [0.1]) for op in operators)), vocab)
    longest = max(end for end in range(len(operators) + 1) if len(set(operators[:end])) == end)
    assert ops[:longest + 2].tolist() == [vocab.ids[name] for name in ("<START>", *operators[:longest], "<END>")]
    assert not ops[longest + 2:].any()


def test_an_empty_plan_is_encoded(opened):
    assert opened(plans={name_of(0): Plan()})[0]["ops"].tolist() == [1, 2, 0, 0, 0, 0, 0]


def test_plans_that_do_not_fit_are_refused(opened):
    with pytest.raises(UserError, match=r"none of its 4 pairs has a plan of unmasked steps in sets/a\.jsonl"):
        opened(plans={}, plans_path="sets/a.jsonl")
    with pytest.raises(UserError, match=r"0000_A\.jpg.*'exposure'"):
        opened(plans={name_of(0): Plan((Step.make("exposure", [1]),))})


def test_the_report_counts_unknown_words(opened, root):
    edit(root, lambda entries: entries[0].update(request="brighter " * 500))
    edit(root, lambda entries: entries[1].update(request="xyzzy"))
    edit(root, lambda entries: entries[2].update(request="5 %"))
    dataset = opened()
    report = "\n".join(dataset.report())
    assert "1 requests are longer" in report
    assert "1 requests have no word" in report
    assert "xyzzy" in report
    assert dataset[1]["request_ids"].tolist() == [1, 3, 2] + [0] * 14


def test_extra_fields_are_kept_and_request_idx_is_made_anew(opened, root):
    edit(root, lambda entries: entries[0].update(intent={"bright": 1}, request_idx=[9] * 17, detailed=math.nan))
    dataset = opened()
    assert dataset.annotations[0]["intent"] == {"bright": 1}
    assert dataset[0]["request_ids"][1] == 4


def test_annotation_without_a_session_is_found(opened, root):
    (root / "annotations" / "train_sess_1.json").rename(root / "annotations" / "train.json")
    assert len(opened()) == 4


@pytest.mark.parametrize(("field", "value", "reason"), [
    ("request", math.nan, "'request' is NaN"), ("request", "  ", "'request' is empty"),
    ("request", None, "'request' is null"), ("input", 5, "'input' is 5"), ("output", ["a.jpg"], "'output' is a list"),
    ("input", "../secret.jpg", "leaves the folder"), ("output", "/etc/a.jpg", "leaves the folder"),
    ("input", "a\\..\\..\\b.jpg", "leaves the folder"), ("input", "C:\\a.jpg", "leaves the folder"),
])
def test_unusable_entries_are_named(opened, root, field, value, reason):
    edit(root, lambda entries: entries[2].update({field: value}))
    with pytest.raises(UserError, match=r"train_sess_1\.json, entry 2: .*" + reason):
        opened()


def test_missing_fields_and_wrong_kinds_are_named(opened, root):
    edit(root, lambda entries: entries[1].pop("output"))
    with pytest.raises(UserError, match="entry 1: field 'output' is missing"):
        opened()
    edit(root, lambda entries: entries.__setitem__(0, "a.jpg"))
    with pytest.raises(UserError, match="entry 0: is a text"):
        opened()
    for content, reason in (("{}", "an object, not a list"), ("[]", "no entries"), ("[{]", "line 1: malformed JSON"),
                            ("\ufeff[{]", "line 1: malformed JSON")):
        (root / "annotations" / "train_sess_1.json").write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=reason):
            opened()


def test_missing_files_are_counted_and_named(opened, root):
    (root / "images" / "0001_A.jpg").unlink()
    (root / "images" / "0003_O.jpg").unlink()
    with pytest.raises(UserError, match=r"2 of the 8 images .*0001_A\.jpg, 0003_O\.jpg.*--fix"):
        opened()
    (root / "annotations" / "train_sess_1.json").unlink()
    with pytest.raises(UserError, match=r"train_sess_1\.json: no such file \(nor train\.json\)"):
        opened()


def test_names_with_folders_and_other_letters(tmp_path, photo):
    entries = [{"input": "größe/写真 1.jpg", "output": "größe/写真 2.jpg", "request": "Mach es heller"}]
    root = write_dataset(tmp_path / "set", photo, {"val": entries})
    assert PairDataset(root, "val", 1, VOCAB, size=None)[0]["name"] == "größe/写真 1.jpg>größe/写真 2.jpg"


def test_one_pixel_photos(tmp_path, photo):
    root = write_dataset(tmp_path / "set", lambda seed: photo(1, 1, seed), {"val": entries_of([0])})
    assert PairDataset(root, "val", 1, VOCAB, size=None)[0]["input"].shape == (3, 1, 1)
    assert PairDataset(root, "val", 1, VOCAB, cache=tmp_path)[0]["target"].shape == (3, 128, 128)


def test_the_registry_opens_by_name(root, tmp_path, monkeypatch):
    assert len(load_dataset("FiveK", "train", 1, VOCAB, root=root, cache=tmp_path)) == 4
    monkeypatch.setitem(DATASETS, "mine", Source(str(root), vocab="FiveK"))  # one line adds a data set
    assert len(load_dataset("mine", "train", 1, VOCAB, size=None)) == 4
    with pytest.raises(UserError, match="FiveK, RetouchReq, GIER, RegionReq, synth"):
        load_dataset("nowhere", "train", 1, VOCAB)
