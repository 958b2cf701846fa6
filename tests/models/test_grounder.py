"""The grounder: padding changes nothing, it learns from few samples, and it reads the words."""
import dataclasses
import functools

import numpy as np
import pytest
import torch
from small_grounding import OPERATORS, VOCAB, batch_of, drawn_set, shuffled

from core.losses.ranking import triplet_loss
from core.metrics.roc import pooled_roc
from core.models.grounding import Grounder, GrounderConfig
from core.training.grounding import draw_pairs

CONFIG = GrounderConfig(words=VOCAB.names, operators=OPERATORS, coarse=4, fine=6, hidden_size=16, vector_size=12,
                        fixed_vectors=False, dropout=0.0)


@pytest.fixture()
def build():
    """Return `build(**changes)`: an untrained grounder in eval mode."""
    def make(**changes):
        torch.manual_seed(0)
        return Grounder(dataclasses.replace(CONFIG, **changes)).eval()
    return make


def taught(grounder, dataset, iterations=60):
    """Train a grounder by the ranking losses; return it in eval mode."""
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(grounder.parameters(), 0.01)
    draw = functools.partial(draw_pairs, positives="all")
    for _ in range(iterations):
        grounder.train()
        batch = batch_of(dataset, torch.randperm(len(dataset))[:32].tolist())
        right, wrong_segment, wrong_words, _ = grounder.ranked(batch, dataset.draw_rivals(batch["index"]), draw)
        each = torch.ones_like(right)[None]
        loss = sum(triplet_loss(right, wrong[None], each, 0.2) for wrong in (wrong_segment, wrong_words))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return grounder.eval()


@torch.no_grad()
def roc(grounder, batch):
    found, present = grounder(batch).scores, batch["present"]
    return pooled_roc([found[present].numpy()], [batch["labels"][present].numpy()])


@pytest.mark.parametrize("extra", [{}, {"use_names": True, "use_sign": True}, {"norm": "batch"}])
def test_padding_of_words_and_of_segments_changes_no_score(build, extra):
    dataset, grounder = drawn_set(2), build(**extra)
    batch = batch_of(dataset, [0, 7])
    more = {name: torch.cat((value, value.new_zeros(2, 3, *value.shape[2:])), 1) if value.shape[:2] == (2, 5) else value
            for name, value in batch.items()}
    longer = more | {"request_ids": torch.nn.functional.pad(batch["request_ids"], (0, 9))}
    plain, padded = grounder(batch), grounder(longer)
    torch.testing.assert_close(padded.scores[:, :5], plain.scores)
    assert (padded.scores[:, 5:] == -torch.inf).all() and (padded.confidence[:, 5:] == 0).all()
    alone = grounder(batch_of(dataset, [7]))
    torch.testing.assert_close(alone.scores[0], plain.scores[1])


def test_attention_is_on_words_only_and_weights_sum_to_one(build):
    said = build()(batch_of(drawn_set(1), [0, 2])).said
    torch.testing.assert_close(said.attention.sum(-1), torch.ones(2, 3))
    torch.testing.assert_close(said.weights.sum(-1), torch.ones(2))


def test_each_operator_reads_by_weights_of_its_own_unless_the_prior_is_off(build):
    batch = batch_of(drawn_set(1), [0])
    other = batch | {"operator": batch["operator"] + 1}
    grounder, without = build(), build(operators=("",))
    assert not torch.equal(grounder(batch).scores, grounder(other).scores)
    torch.testing.assert_close(without(batch).scores, without(other).scores)


def test_a_segment_without_neighbours_has_no_relation_and_one_with_neighbours_takes_the_best(build):
    grounder, batch = build(), batch_of(drawn_set(1), [0])
    assert (grounder(batch).modules[0, :, 2] != 0).all()
    alone = batch | {"context_present": torch.zeros_like(batch["context_present"])}
    assert (grounder(alone).modules[0, :, 2] == 0).all()


def test_a_module_that_is_switched_off_has_no_weight(build):
    weights = build(switched_off=("location", "relation"))(batch_of(drawn_set(1), [0])).said.weights
    assert weights.tolist() == [[1.0, 0.0, 0.0]]


def test_it_learns_eight_samples(build):
    dataset = drawn_set(2)
    grounder = taught(build(), dataset, 40)
    assert roc(grounder, batch_of(dataset, range(8))) > 0.99


def test_it_reads_the_words_of_new_photos_and_shuffled_sentences_are_no_better_than_none(build):
    train, test = drawn_set(30, seed=1), drawn_set(12, seed=2)
    grounder, blind = taught(build(), train), taught(build(text_blind=True), train)
    whole = batch_of(test, range(len(test)))
    assert roc(grounder, whole) > 0.9
    none = roc(blind, whole)
    assert none < 0.7
    assert np.mean([roc(grounder, shuffled(test, seed)) for seed in range(3)]) == pytest.approx(none, abs=0.12)
