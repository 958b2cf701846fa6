"""Three fusions of a sentence with features, against their formulas."""
import pytest
import torch

from core.models.gan.fusion import FUSIONS, Concat, FiLM, LowRankBilinear

FEATURES, SENTENCE = torch.randn(2, 5, 4, 3), torch.randn(2, 7)


@pytest.mark.parametrize("fusion", FUSIONS.values())
def test_shapes_and_one_picture_for_all_sentences(fusion):
    fuse = fusion(5, 7, 6, "none")
    assert fuse(FEATURES, SENTENCE).shape == FEATURES.shape
    one = FEATURES[:1]
    torch.testing.assert_close(fuse(one, SENTENCE), fuse(one.expand(2, -1, -1, -1), SENTENCE))


def test_low_rank_bilinear_pooling_is_its_formula_at_every_pixel():
    fuse = LowRankBilinear(5, 7, 3, "none")
    u, v, p = fuse.image_projection, fuse.sentence_projection, fuse.output_projection
    for row in range(4):
        for column in range(3):
            x = FEATURES[:, :, row, column]
            joint = torch.tanh(x @ u.weight[..., 0, 0].T + u.bias) * torch.tanh(SENTENCE @ v.weight.T + v.bias)
            torch.testing.assert_close(fuse(FEATURES, SENTENCE)[:, :, row, column],
                                       x + joint @ p.weight[..., 0, 0].T + p.bias)


def test_film_scales_and_shifts_the_features_before_the_activation():
    fuse = FiLM(5, 7, 6, "instance")
    torch.nn.init.zeros_(fuse.sentence_projection[-1].weight)
    torch.nn.init.zeros_(fuse.sentence_projection[-1].bias)
    torch.testing.assert_close(fuse(FEATURES, SENTENCE), FEATURES.relu())
    torch.nn.init.constant_(fuse.sentence_projection[-1].bias[:5], 1)
    torch.testing.assert_close(fuse(FEATURES, SENTENCE), 2 * FEATURES.relu())
    torch.nn.init.constant_(fuse.sentence_projection[-1].bias[5:], 3)
    torch.testing.assert_close(fuse(FEATURES, SENTENCE), (2 * FEATURES + 3).relu())


def test_concatenated_words_are_the_same_at_every_pixel():
    fuse = Concat(5, 7, 6, "none")
    flat = FEATURES[:, :, :1, :1].expand(-1, -1, 4, 3)
    result = fuse(flat, SENTENCE)
    torch.testing.assert_close(result, result[:, :, :1, :1].expand_as(result))
    assert not torch.allclose(result, fuse(flat, SENTENCE.flip(0)))
