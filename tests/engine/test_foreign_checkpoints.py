"""Checkpoints that were made by somebody else or changed by hand: one error sentence names the file and the field."""
import contextlib
import copy
import functools
import itertools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.engine.checkpoints import save_checkpoint
from core.files import UserError
from core.methods.critics import load_critic
from core.methods.judged import JUDGES
from core.methods.planner import PlannerMethod
from core.models.critic import Critic, CriticConfig
from core.models.gan.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from core.models.gan.filter_bank import FilterBank, FilterBankConfig
from core.models.planner import Planner, PlannerConfig
from core.operators import SESSIONS

WORDS = ("<NONE>", "<START>", "<END>", "<UNK>", "make", "it", "brighter")
SMALL = {"hidden_size": 8, "vector_size": 6, "fixed_vectors": False}
IMAGE = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0))
DEEP = []
for _ in range(60):   # a list whose text would have 2**60 brackets
    DEEP = [DEEP, DEEP]


@pytest.fixture(name="planner", scope="module")
def _planner():
    return whole()


@functools.cache
def whole():
    """Return the state of a valid checkpoint; callers must change only copies, because the state is cached."""
    torch.manual_seed(0)
    network = Planner(PlannerConfig(WORDS, vis_encoder="small", **SMALL))
    return {"experiment": "seq2seqL1", "iteration": 3, "best": 0.5, "options": {"trial": 1, "requests": ["a"]},
            "model": network.checkpoint(), "others": {}}


def at(state, *path, value=None, drop=False):
    """Return a copy of the state in which the field at `path` has another value or is missing."""
    changed = copy.copy(state)
    inner = changed
    for key in path[:-1]:
        inner[key] = copy.copy(inner[key])
        inner = inner[key]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


def use(path):
    """Plan with a checkpoint."""
    return PlannerMethod.of(path).plans(IMAGE, ["make it brighter"])


def sentence(path, load=use):
    """Return the error sentence of a checkpoint that must be refused."""
    with pytest.raises(UserError) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_a_whole_checkpoint_plans(planner, tmp_path):
    save_checkpoint(tmp_path / "a.pt", planner)
    assert use(tmp_path / "a.pt")[0].words == ["make", "it", "brighter"]


@pytest.mark.parametrize("value", [None, 5, "x", [], float("nan"), torch.zeros(3), DEEP],
                         ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(("field", "words"), [
    (("model",), "field 'model' is not a network"), (("model", "config"), "field 'model' is not a network"),
    (("model", "weights"), "field 'model' is not a network"), (("experiment",), "field 'experiment' is not a name"),
    (("options",), "field 'options' is not a table of flags"),
    (("iteration",), "field 'iteration' is not a whole number"),
    (("others",), "field 'others' is not a table of networks"),
    (("version",), "field 'version' is not a whole number")],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "")
def test_fields_of_another_type_are_refused(field, words, value, planner, tmp_path):
    fitting = {"experiment": str, "iteration": int, "version": int}.get(field[-1])
    if fitting and isinstance(value, fitting):
        value = "x" * 100_000 if fitting is str else -value
    save_checkpoint(tmp_path / "a.pt", at(planner, *field, value=value))
    assert words in sentence(tmp_path / "a.pt")


@pytest.mark.parametrize(("path", "words"), [
    (("model",), "lacks the field 'model'"), (("experiment",), "lacks the field 'experiment'"),
    (("model", "config"), "'seq2seqL1', which holds no planner"), (("model", "weights"), "has no weights"),
    (("model", "config", "words"), "missing 1 required positional argument: 'words'"),
    (("model", "weights", "operator_head.bias"), "operator_head.bias")], ids=str)
def test_missing_fields_are_named(path, words, planner, tmp_path):
    save_checkpoint(tmp_path / "a.pt", at(planner, *path, drop=True))
    assert words in sentence(tmp_path / "a.pt")


@pytest.mark.parametrize(("value", "words"), [("Critic", "it holds a Critic"), ("x" * 100_000, "it holds a xxx"),
                                              (None, "its class is not text"), (DEEP, "its class is not text")],
                         ids=["other", "long", "none", "deep"])
def test_a_network_of_another_class_is_refused(value, words, planner, tmp_path):
    save_checkpoint(tmp_path / "a.pt", at(planner, "model", "class", value=value))
    assert words in sentence(tmp_path / "a.pt")


@pytest.mark.parametrize(("name", "value", "words"), [
    ("hidden_size", 0, "config.hidden_size is not from 1"), ("hidden_size", 2048, "operator table"),
    ("hidden_size", "8", "config.hidden_size is not of type int"),
    ("hidden_size", True, "config.hidden_size is not of type int"),
    ("hidden_size", 10**12, "config.hidden_size is not from 1"),
    ("vector_size", 10**9, "config.vector_size is not from 1 to 2048"),
    ("max_steps", -1, "config.max_steps"), ("dropout", 2.0, "dropout probability"),
    ("dropout", float("nan"), "config.dropout is not of type float"), ("unasked", -1.0, "config.unasked is -1.0"),
    ("unasked", float("inf"), "config.unasked"),
    ("use_attention", 1, "config.use_attention is not of type bool"),
    ("vis_encoder", "eyes", "'eyes' is unknown; choose"),
    ("words", [*WORDS, "it"], "operator table"), ("words", [*WORDS[:-1], "it"], "vocabulary: a word stands twice"),
    ("words", WORDS[::-1], "vocabulary: the first names must be <NONE>"), ("words", [], "operator table"),
    ("words", [1, 2, 3], "config.words is not of type tuple"),
    ("operators", ["<NONE>"], "operator vocabulary: missing <START>"),
    ("operators", "all", "config.operators is not of type tuple"),
    ("palette", 3, "unexpected keyword argument 'palette'")])
def test_configurations_of_another_network(name, value, words, planner, tmp_path):
    save_checkpoint(tmp_path / "a.pt", at(planner, "model", "config", name, value=value))
    assert words in sentence(tmp_path / "a.pt")


@pytest.mark.parametrize(("change", "words"), [
    (lambda weight: "0.5", "field 'model' is not a network"),
    (lambda weight: weight[:1], "size mismatch for operator_head.weight"),
    (lambda weight: weight * float("nan"), "weights.operator_head.weight has NaN or infinite numbers"),
    (lambda weight: weight.fill_(1e38).double() * 1e38, "weights.operator_head.weight has NaN or infinite numbers"),
    (lambda weight: weight.to_sparse(), "weights.operator_head.weight is not a dense tensor"),
    (lambda weight: weight.to("meta"), "weights.operator_head.weight is not a dense tensor"),
    (lambda weight: torch.zeros(()).expand(10**6, 10**6), "weights.operator_head.weight is not a dense tensor")])
def test_weights_of_another_network(change, words, planner, tmp_path):
    weight = change(planner["model"]["weights"]["operator_head.weight"].clone())
    save_checkpoint(tmp_path / "a.pt", at(planner, "model", "weights", "operator_head.weight", value=weight))
    assert words in sentence(tmp_path / "a.pt")


def test_finite_weights_that_give_no_finite_plan_are_named(planner, tmp_path):
    state, tint = planner, SESSIONS[3].index("tint")
    for name, weight in planner["model"]["weights"].items():
        if name.startswith("heads.tint"):
            state = at(state, "model", "weights", name, value=torch.full_like(weight, 3e38))
    bias = torch.nn.functional.one_hot(torch.tensor(tint), len(SESSIONS[3])) * 100.0
    save_checkpoint(tmp_path / "a.pt", at(state, "model", "weights", "operator_head.bias", value=bias))
    assert "finite" in sentence(tmp_path / "a.pt")


def plan_or_sentence(path):
    with contextlib.suppress(UserError):
        use(path)
        return
    sentence(path)


def _items(value):
    return value.items() if isinstance(value, dict) else ()


# Values that Hypothesis draws by name, because it prints the values that it draws.
ODD = {"deep": DEEP, "vector": torch.zeros(3), "number": torch.zeros(()), "nan": torch.full((2, 2), float("nan")),
       "bytes": b"bytes", "complex": torch.zeros(2, dtype=torch.complex64), "type": torch.float32}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), st.integers(), max_size=2),
    st.sampled_from(sorted(ODD)))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_checkpoint_with_changed_fields_plans_or_is_refused_in_a_sentence(tmp_path, data):
    state = whole()
    for _ in range(data.draw(st.integers(1, 3))):
        fields = [(name,) for name in state]
        model = state.get("model")
        for part, values in _items(model):
            fields += [("model", part), *(("model", part, name) for name, _ in _items(values))]
        field = data.draw(st.sampled_from(fields))
        if data.draw(st.booleans()):
            state = at(state, *field, drop=True)
        else:
            value = data.draw(JUNK)
            state = at(state, *field, value=ODD.get(value, value) if isinstance(value, str) else value)
    save_checkpoint(tmp_path / "a.pt", state)
    plan_or_sentence(tmp_path / "a.pt")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_checkpoint_with_changed_bytes_plans_or_is_refused_in_a_sentence(tmp_path, changes):
    save_checkpoint(tmp_path / "a.pt", whole())
    content = bytearray((tmp_path / "a.pt").read_bytes())
    for (share, value), end in zip(changes, itertools.cycle((2000, len(content)))):   # the pickle comes first
        content[int(share * end)] = value
    (tmp_path / "a.pt").write_bytes(content)
    plan_or_sentence(tmp_path / "a.pt")


@pytest.mark.parametrize(("network", "load"), [
    (FilterBank(FilterBankConfig(WORDS, "unet_8", 2, ngf=2, **SMALL)), None),
    (Critic(CriticConfig(WORDS, cond_nc=8, **SMALL)), lambda path: load_critic(path, "x")),
    (MultiScaleDiscriminator(DiscriminatorConfig(WORDS, cond_nc=4, ndf=4, **SMALL)),
     lambda path: JUDGES["seq2seqGAN-disc"][1](path, "x"))], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(("name", "value"), [("num_G", 2000), ("num_D", 2000), ("n_layers", 2000), ("hidden_size", -8),
                                             ("net", "resnet_999999999blocks"), ("net", "unet_" + "9" * 5000),
                                             ("norm", "x"), ("words", ["a"]), ("cond_nc", None)])
def test_configurations_of_huge_or_impossible_networks_are_refused(network, load, name, value, tmp_path):
    model = network.checkpoint()
    if name not in model["config"]:
        pytest.skip("has no such field")
    model = at(model, "config", name, value=value)
    if load is None:
        with pytest.raises(UserError, match=r"^a\.pt: .*"):
            type(network).from_checkpoint(model, "a.pt")
        return
    save_checkpoint(tmp_path / "a.pt", {"experiment": "x", "model": model, "others": {"D": {"model": model}}})
    sentence(tmp_path / "a.pt", load)
