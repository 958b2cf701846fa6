"""The registry opens every method in the same way, on a small trained project."""
import pytest
import torch
from tiny_project import SYNTH

from core.engine.options import Parser, number, parse
from core.files import UserError
from core.methods.registry import METHODS, REFERENCES, load_method
from core.operators import Plan, execute

REQUESTS = ["make it brighter", "less contrast", "make it brighter"]


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo()).permute(2, 0, 1) / 255


def options(experiment, *flags):
    parser = Parser("about").add_data().add_test()
    parser.add_argument("--experiment")
    parser.add_argument("--action_id", type=number(int, 1), default=1)
    return parse(parser, None, [*SYNTH, "--trial", "100", "--experiment", experiment, *flags])


@pytest.mark.parametrize("experiment", sorted(REFERENCES.keys() - {"planned"} | {"seq2seqL1"}))
def test_a_method_edits_by_one_request_as_by_several(experiment, project, image):
    method = load_method(options(experiment))
    several = method.edits(image, REQUESTS)
    assert len(several) == 3
    assert method.answers_any
    assert method.about["experiment"] == experiment
    assert method.label
    for request, edited in zip(REQUESTS, several, strict=True):
        assert edited.image.shape == image.shape
        torch.testing.assert_close(execute(edited.plan, image), edited.image)
        torch.testing.assert_close(method(image, request, "any name").image, edited.image, atol=1e-4, rtol=0)
    torch.testing.assert_close(several[0].image, several[2].image, atol=1e-4, rtol=0)


def test_references_do_what_their_names_say(project, image):
    plans = {name: [edited.plan for edited in load_method(options(name)).edits(image, REQUESTS)]
             for name in ("identity", "mean_edit", "auto_tone", "keywords")}
    assert plans["identity"] == [Plan()] * 3
    assert len(plans["mean_edit"][0]) and len(set(plans["mean_edit"])) == 1
    assert len(set(plans["auto_tone"])) == 1
    other = load_method(options("auto_tone")).edits(image / 3, REQUESTS[:1])[0].plan
    assert other != plans["auto_tone"][0]   # auto-tone depends on the photo
    assert [step.op for plan in plans["keywords"][:2] for step in plan] == ["brightness", "contrast"]


def test_the_oracle_only_answers_for_the_pairs_of_its_set(project, image):
    method = load_method(options("planned"))
    assert not method.answers_any
    name, plan = next(iter(method.plans.items()))
    assert method(image, "whatever", name).plan == plan
    with pytest.raises(UserError, match=r"synth_val_sess_1\.jsonl: has no plan of 1 of the 1 pairs.*gen_greedy_seqs"):
        load_method(options("planned", "--phase", "val"))


def test_a_trained_method_names_its_checkpoint_and_uses_its_vocabulary(project):
    method = load_method(options("seq2seqL1", "--checkpoint", "last.pt"))
    parameters = method.about.pop("parameters")
    assert method.about == {"experiment": "seq2seqL1", "trial": 100, "checkpoint": "last.pt"}
    state = torch.load("output/synth_seq2seqL1_trial_100/last.pt", weights_only=True)["model"]["weights"]
    assert 0.9 * parameters < sum(weight.numel() for weight in state.values()) <= 1.1 * parameters   # with buffers
    assert method.vocab.encode("brighter")
    with pytest.raises(UserError, match=r"trial_3/best\.pt: no such checkpoint"):
        load_method(options("seq2seqL1", "--trial", "3"))


def test_an_unknown_experiment_is_refused_with_the_known_ones(project):
    with pytest.raises(UserError, match="--experiment magic: unknown; known are: seq2seqL1, .*, identity"):
        load_method(options("magic"))
    assert set(REFERENCES) < set(METHODS)
