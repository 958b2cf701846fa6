"""RegionReq: every input has targets that differ, targets keep all but the named region, loaders read the set."""
import json
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_regions import SCENES, Shape, write_panoptic

from core.datasets import ActionSet, WordVocab, load_dataset
from core.datasets.images import load_image, to_tensor
from core.datasets.panoptic import PanopticSet
from core.datasets.vocab import SPECIAL
from core.files import UserError
from core.operators import OperatorVocab, Plan, execute
from core.operators.table import SESSIONS
from core.requests.wish import Wish
from core.synthesis.edits import EDITS
from core.synthesis.local_pairs import KINDS, LocalPairs
from core.synthesis.pasting import Pasted
from core.synthesis.region_set import RegionSet, sources_of

VOCAB = WordVocab((*SPECIAL, "the", "ball"))
TEST = {"other.png": (Shape("sports ball", 30, 62, 14, "yellow"), Shape("suitcase", 74, 70, 10, "red"))}


def stamp(image, free, thing, rng):
    """Paste a grey square into a free corner; stands for `paste`, which finds no seamless place on flat scenes."""
    covered = np.zeros(free.shape, bool)
    covered[2:16, 2:16] = True
    if not (covered <= free).all():
        covered = np.ascontiguousarray(covered[:, ::-1])
    return Pasted(torch.where(torch.from_numpy(covered), torch.tensor(0.2), image), covered, thing.name)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("panoptic")
    return write_panoptic(root / "train", {"three.png": SCENES["three.png"], "alone.png": SCENES["alone.png"]}), \
        write_panoptic(root / "test", TEST)


def opened(folders, out, **options):
    train, test = (PanopticSet(folder, 96) for folder in folders)
    return RegionSet(out, sources_of(train, test, 0), **options)


@pytest.fixture(scope="module")
def made(folders, tmp_path_factory):
    """Make the set once; return its folder."""
    dataset = opened(folders, tmp_path_factory.mktemp("set") / "RegionReq")
    for source in dataset.sources:
        dataset.make(source)
    dataset.save()
    return dataset.folder


def entries(folder):
    return [entry for path in sorted((folder / "splits").glob("*_sess_3.json")) if path.name.count("_") == 2
            for entry in json.loads(path.read_text())]


def picture(folder, name):
    return to_tensor(load_image(folder / "images" / name))


def test_the_photos_of_phases_are_disjoint(made, folders):
    phases = {phase: {entry["photo"] for entry in json.loads((made / f"splits/{phase}_sess_3.json").read_text())}
              for phase in ("train", "val", "test")}
    assert len(phases["train"]) == len(phases["val"]) == 1
    assert phases["test"] == {"other.png"}
    assert not phases["train"] & phases["val"]


def test_no_answer_that_ignores_the_words_is_right_for_most_pairs_of_an_input(made):
    targets = defaultdict(list)
    for entry in entries(made):
        targets[entry["input"]].append(picture(made, entry["output"]))
    for found in targets.values():
        assert len(found) >= 2
        assert all(not torch.equal(one, other) for at, one in enumerate(found) for other in found[:at])


def test_decoys_of_a_restored_region_stay_degraded(made):
    restored = [entry for entry in entries(made) if entry["kind"] == "restore"]
    assert restored
    for entry in restored:
        masks = json.loads((made / f"masks/{entry['input'][:-4]}_mask.json").read_text())
        assert entry["decoys"]
        named = next(iter(entry["operator"].values()))["ids"]
        assert not set(named) & set(entry["decoys"])
        assert max(named + entry["decoys"]) < len(masks)


@pytest.mark.parametrize("session", [3, 4])
def test_plans_bring_the_input_nearer_to_the_target_and_edit_their_region_only(made, session):
    plans = ActionSet(made / ("plans.jsonl" if session == 3 else "plans_sess_4.jsonl")).plans()
    known, count = OperatorVocab(SESSIONS[session]).ids, 0
    for entry in entries(made):
        plan = plans.get(f"{entry['input']}>{entry['output']}")
        if not entry["operator"]:
            assert plan == Plan()
            continue
        if plan is None or entry["kind"] == "removal":
            continue
        before, target = picture(made, entry["input"]), picture(made, entry["output"])
        after, count = execute(plan, before), count + 1
        assert (after - target).abs().mean() < (before - target).abs().mean()
        assert all(step.op in known for step in plan)
        if entry["kind"] != "mixed":
            outside = plan.steps[0].mask.tensor(*before.shape[1:])[0, 0] == 0
            assert torch.equal(before[:, outside], target[:, outside])
    assert count > 3


@pytest.mark.parametrize("phase", ["train", "val", "test"])
def test_gier_loaders_read_the_set(made, tmp_path, phase):
    dataset = load_dataset("RegionReq", phase, 3, VOCAB, root=made, size=32, cache=tmp_path / "cache", masks="union")
    assert {entry["kind"] for entry in dataset.annotations} <= set(KINDS)
    for index, entry in enumerate(dataset.annotations):
        mask = dataset[index]["masks"]
        assert mask.shape == (1, 32, 32)
        assert bool(mask.any()) == bool(entry["operator"])
        assert (entry["kind"] == "mixed") == bool(entry["operator"] and mask.all())
    whole = load_dataset("RegionReq", phase, 3, VOCAB, root=made, size=32, cache=tmp_path / "cache", data_mode="full")
    assert len(whole) == len(dataset)


def test_entries_hold_the_wishes_of_their_requests(made):
    for entry in entries(made):
        wishes = [Wish(**wish) for wish in entry["wishes"]]
        assert len(wishes) == (2 if entry["kind"] == "mixed" else 1)
        assert entry["region"]
        if entry["kind"] == "restore":
            assert EDITS[wishes[0].direction].op in entry["operator"]


def test_expressions_name_segments_of_their_picture(made):
    refs = json.loads((made / "expressions.json").read_text())["refs"]
    assert [ref["ref_id"] for ref in refs] == list(range(len(refs)))
    said = defaultdict(set)
    for ref in refs:
        masks = json.loads((made / f"masks/{ref['file_name'][:-4]}_mask.json").read_text())
        assert max(ref["ids"]) < len(masks)
        for sentence in ref["sentences"]:
            assert sentence["sent"] not in said[ref["file_name"]]
            said[ref["file_name"]].add(sentence["sent"])


def test_a_run_that_goes_on_gives_the_same_files(folders, made, tmp_path):
    dataset = opened(folders, tmp_path / "again")
    for source in reversed(dataset.sources):
        dataset.make(source)
    dataset.save()
    for path in sorted(path for path in made.rglob("*") if path.is_file()):
        assert (tmp_path / "again" / path.relative_to(made)).read_bytes() == path.read_bytes(), path


def test_other_settings_and_shared_photos_are_refused(folders, made):
    with pytest.raises(UserError, match=r"settings\.json: this set was begun with other seed"):
        opened(folders, made, seed=1)
    train = PanopticSet(folders[0], 96)
    with pytest.raises(UserError, match=r"alone: 2 photo\(s\) occur twice in --train and --test"):
        sources_of(train, train, 0)
    with pytest.raises(UserError, match=r"has 1 photo\(s\), needs two"):
        sources_of(PanopticSet(folders[1], 96), None, 0)


def test_a_removed_thing_leaves_the_true_pixels_and_the_other_thing(folders, monkeypatch):
    monkeypatch.setattr("core.synthesis.local_pairs.paste", stamp)
    photo = PanopticSet(folders[0], 96)[0]
    names = iter(["dog", "dog", "cat"])
    maker = LocalPairs(photo, lambda rng: SimpleNamespace(name=next(names)), ["zebra"], np.random.default_rng(0))
    scene = maker.pasted()
    removals = [pair for pair in scene.pairs if pair.kind == "removal"]
    assert {pair.part.name for pair in removals} == {"dog", "cat"}
    for pair in removals:
        inside = torch.from_numpy(pair.part.inside)
        assert torch.equal(pair.target[:, inside], photo.image[:, inside])
        assert torch.equal(pair.target[:, ~inside], scene.image[:, ~inside])
        assert not torch.equal(pair.target, photo.image)   # the other thing stays
        assert pair.operators == {"inpaint_obj": pair.part.annotation}
        assert all("dog" in said.lower() or "cat" in said.lower() for said in pair.requests)
    assert scene.pairs[-1].operators == {}
