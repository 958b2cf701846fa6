"""The Fréchet distance agrees with its closed form, and its name tells which network gave the features."""
import hashlib
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from core.files import UserError
from core.metrics import fid


class Given:
    """An extractor that returns its images as the features."""

    name = "given"

    def __call__(self, images):
        return images


def statistics(*batches, extractor=None):
    result = fid.FrechetStatistics(extractor or Given())
    for batch in batches:
        result.update(batch)
    return result


def diagonal(mean, deviations):
    """Return samples with exactly this mean and a diagonal covariance with these standard deviations."""
    rows = torch.diag(deviations * (len(deviations) - 0.5) ** 0.5)
    return torch.cat((rows, -rows)) + mean


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    return cache


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory):
    """Write a file of Inception weights like the published one, but random; return its path."""
    class Untrained(FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            del state

    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({}, path)
    state = Untrained("untrained", ["2048"], feature_extractor_weights_path=str(path)).state_dict()
    torch.save(state, path)
    return path


def test_distance_of_diagonal_gaussians_has_its_closed_form():
    generator = torch.Generator().manual_seed(0)
    means, deviations = torch.randn(2, 6, generator=generator), torch.rand(2, 6, generator=generator) + 0.1
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    a, b = (statistics(diagonal(m, d)) for m, d in zip(means, deviations, strict=True))
    assert fid.frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-5)


def test_running_statistics_equal_those_of_the_whole_set():
    features = torch.randn(50, 7, generator=torch.Generator().manual_seed(1)) * 3 + 1000
    running = statistics(features[:1], features[1:20], features[20:20], features[20:])
    np.testing.assert_allclose(running.mean, features.double().mean(0), rtol=1e-10)
    np.testing.assert_allclose(running.scatter / (running.count - 1), np.cov(features.double().T), rtol=1e-7)


def test_equal_sets_have_distance_0_even_with_fewer_images_than_features():
    features = torch.randn(5, 40, generator=torch.Generator().manual_seed(2))
    assert fid.frechet_distance(statistics(features), statistics(features.flip(0))) == pytest.approx(0, abs=1e-4)


def test_distance_is_symmetric_and_a_shift_adds_its_square():
    features = torch.randn(30, 8, generator=torch.Generator().manual_seed(3))
    wider = (features - features.mean(0)) * 1.3 + features.mean(0)
    a, near, far = statistics(features), statistics(wider), statistics(wider + 2)
    assert fid.frechet_distance(a, near) == pytest.approx(fid.frechet_distance(near, a))
    assert fid.frechet_distance(a, far) == pytest.approx(fid.frechet_distance(a, near) + 8 * 2 ** 2, rel=1e-5)


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_images_have_no_distance_and_give_a_reason(number):
    few, enough = statistics(torch.ones(number, 4)), statistics(torch.rand(3, 4))
    assert fid.frechet_distance(few, enough) is None
    assert few.undefined == f"needs at least 2 images, has {number}"
    assert enough.undefined is None


def test_features_of_two_networks_are_not_compared():
    other = SimpleNamespace(name="other")
    with pytest.raises(ValueError, match="given and of other"):
        fid.frechet_distance(statistics(), statistics(extractor=other))


def test_without_weights_efficientnet_lite0_is_used_under_its_own_name(photo):
    extractor = fid.load_features()
    assert extractor.name == "FID(efficientnet-lite0)"
    photos = torch.stack([torch.from_numpy(photo(seed=seed)) for seed in range(4)]).permute(0, 3, 1, 2)
    features = extractor(photos)
    assert features.shape == (4, 1280)
    torch.testing.assert_close(extractor(photos / 255), features)  # the same pictures as floats in [0, 1]
    slightly, strongly = (photos * 0.95).byte(), (photos * 0.3).byte()
    original, near, far = (statistics(x, extractor=extractor) for x in (photos, slightly, strongly))
    assert 0 < fid.frechet_distance(original, near) < fid.frechet_distance(original, far)


def test_inception_weights_of_unknown_origin_are_named(inception_file):
    extractor = fid.load_features(inception_file)
    assert extractor.name == "FID(random.pth)"
    pictures = torch.randint(0, 256, (2, 3, 20, 30), dtype=torch.uint8)
    features = extractor(pictures)
    assert features.shape == (2, 2048)
    reference = FeatureExtractorInceptionV3("reference", ["2048"], feature_extractor_weights_path=str(inception_file))
    torch.testing.assert_close(features, reference(pictures)[0])


@pytest.mark.parametrize("name", fid.PUBLISHED_NAMES)
def test_published_weights_in_the_cache_give_fid(inception_file, empty_cache, monkeypatch, name):
    (empty_cache / name).symlink_to(inception_file)
    monkeypatch.setattr(fid, "PUBLISHED_SHA256", hashlib.sha256(inception_file.read_bytes()).hexdigest())
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)  # a cached file must not be downloaded
    assert fid.load_features().name == "FID"
    assert fid.load_features("url").name == "FID"


def test_a_failed_download_gets_one_sentence(monkeypatch):
    def fail(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(UserError, match=r"--fid_weights url: .*no route to host.*fetch it by hand"):
        fid.load_features("url")


def _truncated(path, inception_file):
    path.write_bytes(inception_file.read_bytes()[:100_000])


def _other_network(path, inception_file):
    torch.save({"conv.weight": torch.zeros(3)}, path)


def _empty(path, inception_file):
    path.touch()


@pytest.mark.parametrize("spoil", [_truncated, _other_network, _empty])
def test_file_that_holds_no_fid_weights_is_refused_by_name(tmp_path, inception_file, spoil):
    path = tmp_path / "spoilt.pth"
    spoil(path, inception_file)
    with pytest.raises(UserError, match=r"spoilt\.pth: not the Inception-v3 weights of FID"):
        fid.load_features(path)


def test_code_in_a_weights_file_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"conv.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match=r"evil\.pth: not the Inception-v3 weights"):
        fid.load_features(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"absent\.pth: cannot be read \(No such file or directory\)"):
        fid.load_features(tmp_path / "absent.pth")
