"""A grounder as a source of regions: it chooses among the segments of a photo, and refuses below its threshold."""
import numpy as np
import pytest
import torch
from small_grounding import VOCAB

from core.engine.checkpoints import save_checkpoint
from core.files import UserError
from core.finding.finder import NotFound
from core.methods.grounded import GroundedFinder, load_finder
from core.models.grounding import Grounder, GrounderConfig
from core.regions.segments import Segment


@pytest.fixture()
def finder():
    """Return `finder(*confidence)`: a finder of a photo with two dogs that has these confidences."""
    def make(*confidence):
        masks = np.zeros((2, 32, 48), np.float32)
        masks[0, :, :10] = masks[1, :, 30:] = 1
        found = GroundedFinder(torch.rand(3, 32, 48), lambda photo, words, segments: (np.array(confidence), 0.5))
        found.segments = lambda: [Segment("dog", mask, 0.9, "detector", True) for mask in masks]
        return found
    return make


def test_the_segments_over_the_threshold_are_taken_together(finder):
    assert finder(0.9, 0.1).find("the left dog").mask[:, :10].all()
    both = finder(0.9, 0.7).find("both dogs")
    assert both.source == "grounder" and both.score == pytest.approx(0.8) and both.share == pytest.approx(28 / 48)


def test_it_refuses_if_it_is_not_sure(finder):
    with pytest.raises(NotFound, match="at most 40% sure"):
        finder(0.4, 0.1).find("the cat")


def test_areas_stay_with_the_rules(finder):
    assert finder(0.9, 0.9).find("the left half").source == "rule"


def test_a_trained_network_is_loaded_and_another_file_is_named(tmp_path):
    torch.manual_seed(0)
    network = Grounder(GrounderConfig(VOCAB.names, hidden_size=8, vector_size=6, fixed_vectors=False))
    save_checkpoint(tmp_path / "best.pt", {"experiment": "ground", "model": network.checkpoint()})
    found = load_finder(tmp_path)(torch.rand(3, 40, 40))
    found.segments = lambda: [Segment("ball", np.eye(40, dtype=np.float32), 1.0, "detector", True)]
    network.threshold.fill_(0)
    assert 0 <= found._choose(found.image, "the ball", found.segments())[0][0] <= 1
    with pytest.raises(UserError, match="no such checkpoint"):
        load_finder(tmp_path / "nothing")
