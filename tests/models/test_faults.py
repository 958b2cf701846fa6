"""The fault network that ships estimates wrong exposures and casts of photos that it has not learned from."""
import pytest
import torch

from core.datasets.images import to_tensor
from core.files import UserError
from core.filters import preview
from core.models import faults, shipped
from core.models.faults import INPUTS, SIDE, FaultNetwork, load_fault_network, see
from core.operators import Plan, Step, execute
from core.synthesis.degrade import add_cast, expose
from core.synthesis.photos import bundled


@pytest.fixture(params=["coffee", "chelsea"])
def image(request):
    """Return a photo (1, 3, H, W) that the training did not use."""
    photo, = (photo for photo in bundled() if photo.name == request.param)
    assert photo.phase != "train"
    return preview(to_tensor(photo.load())[None], SIDE)


def test_a_fault_is_found_with_its_direction(image):
    found = load_fault_network()
    for stops in (-1.5, 1.5):
        assert (found(expose(image, stops))[0, 0] - found(image)[0, 0]) * stops > 0.5
    for axis, sign in ((1, 1), (1, -1), (2, 1), (2, -1)):
        params = [sign * float(axis == place) for place in (1, 2)]
        tinted = execute(Plan((Step.make("white_balance", params),)), image)
        assert sign * (found(tinted) - found(image))[0, axis] > 0.3
    assert (found(add_cast(image, 0.8)) - found(image))[0, 1] > 0.3   # a cast by another formula


def test_photos_of_a_batch_are_estimated_as_each_alone(image):
    found, batch = load_fault_network(), torch.cat((image, expose(image, -1)))
    torch.testing.assert_close(found(batch), torch.cat([found(one[None]) for one in batch]))
    assert found(batch).shape == (2, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_tiny_and_flat_photos_have_finite_faults(size):
    for level in (0.0, 0.5, 1.0):
        assert load_fault_network()(torch.full((1, 3, *size), level)).isfinite().all()


def test_the_network_sees_colours_edges_and_height():
    image = torch.zeros(1, 3, 2, 3)
    image[..., 1] = 1                                    # a white column between two black ones
    seen = see(image)[0].reshape(2, 3, INPUTS)
    torch.testing.assert_close(seen[..., 0], torch.tensor([[0.0, 1, 0]] * 2), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[..., 3], torch.tensor([[1.0, -1, 0]] * 2), atol=1e-4, rtol=0)
    assert seen[..., 6].tolist() == [[-0.5] * 3, [0.5] * 3]


def test_missing_or_changed_weights_are_one_sentence(tmp_path, monkeypatch):
    assert load_fault_network() is load_fault_network()
    load = load_fault_network.__wrapped__   # reads the file again
    monkeypatch.setattr(faults, "FILE", tmp_path / "faults.pt")
    with pytest.raises(UserError, match="faults.pt: cannot be read .*take the file from the repository"):
        load()
    FaultNetwork().save(tmp_path / "faults.pt")
    with pytest.raises(UserError, match="faults.pt: has the SHA-256 .*core/train_faults.py"):
        load()
    assert shipped.DIGESTS["faults.pt"]
