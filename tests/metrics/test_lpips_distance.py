"""LPIPS: the package's network on a given AlexNet; missing weights are reported, never downloaded."""
import pytest
import torch
from torchvision.models import alexnet

from core.evaluation.evaluate import evaluate
from core.files import UserError
from core.methods.registry import RulePlans
from core.metrics.lpips import load_lpips
from core.operators import Plan, Step


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """Write a file with an untrained AlexNet in torchvision's format; return its path."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "alex.pth"
    torch.save(alexnet().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def distance(backbone):
    return load_lpips(backbone)[0]


def test_the_distance_is_0_for_equal_pictures_and_grows_with_the_difference(distance):
    image = torch.rand(2, 3, 70, 80, generator=torch.Generator().manual_seed(1))
    other = torch.rand(2, 3, 70, 80, generator=torch.Generator().manual_seed(2))
    near, far = distance(image, image.lerp(other, 0.1)), distance(image, other)
    torch.testing.assert_close(distance(image, image), torch.zeros(2))
    assert (near > 0).all()
    assert (near < far).all()
    torch.testing.assert_close(torch.cat([distance(image[i:i + 1], other[i:i + 1]) for i in (0, 1)]), far)


def test_the_given_backbone_computes_the_features(distance, backbone):
    weights = torch.load(backbone, weights_only=True)
    assert torch.equal(distance.network.net.slice2[1].weight, weights["features.3.weight"])
    assert distance.name == "LPIPS(alex.pth)"   # only the published weights get the plain name


def test_small_pictures_have_no_distance(distance):
    assert distance(torch.zeros(2, 3, 63, 90), torch.zeros(2, 3, 63, 90)).isnan().all()


def test_without_weights_the_report_names_lpips_as_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    distance, reason = load_lpips()
    assert distance is None
    assert str(tmp_path / "checkpoints/alexnet-owt-7be5be79.pth") in reason
    assert "--lpips_weights" in reason


def test_weights_in_the_cache_of_torch_hub_are_found(backbone, tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/alexnet-owt-7be5be79.pth").write_bytes(backbone.read_bytes())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    distance, reason = load_lpips()
    assert (distance.name, reason) == ("LPIPS(alexnet-owt-7be5be79.pth)", None)


@pytest.mark.parametrize("content", [None, b"text", {"features.0.weight": torch.zeros(3)}])
def test_other_files_are_refused_by_name(content, tmp_path):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        torch.save(content, path)
    with pytest.raises(UserError, match=r"weights\.pth: "):
        load_lpips(path)


def test_lpips_is_a_column_of_an_evaluation_if_its_weights_exist(backbone, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    image = torch.from_numpy(photo(70, 80)).permute(2, 0, 1) / 255
    pair = {"input": image, "target": image / 2, "request": "darken", "name": "0>0_A"}
    method = RulePlans(lambda image, request: Plan((Step.make("exposure", [-1.0]),)), "a rule")
    about = {"run": "toy", "experiment": "toy", "trial": 1, "dataset": "toy", "phase": "test"}

    def measured(**weights):
        return evaluate(method, OnePair([pair]), tmp_path, about, visualize_every=0, **weights)["metrics"]
    assert not [name for name in measured() if "LPIPS" in name]
    assert "LPIPS is not measured" in capsys.readouterr().out
    metrics = measured(lpips_weights=backbone)
    assert metrics["input LPIPS(alex.pth)"] > metrics["output LPIPS(alex.pth)"] == pytest.approx(0, abs=1e-6)


class OnePair(list):
    """A data set whose samples are the items of the list."""

    def report(self):
        return ["1 pair"]
