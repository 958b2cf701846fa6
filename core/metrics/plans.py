"""Comparison of plans with reference plans: BLEU-1 of the operator names, and the errors of the parameters."""
from collections.abc import Sequence

import torch

from core.operators import Plan
from core.operators.table import TABLE


def operator_bleu(plans: Sequence[Plan], references: Sequence[Plan]) -> float | None:
    """Return the corpus BLEU-1 of operator names, in [0, 1]: unigram precision with brevity penalty.

    Papineni et al. 2002, as nltk computes it. Pairs whose reference has no step are left out, because BLEU is undefined
    for them. The result is None where no pair is left.
    """
    from nltk.translate.bleu_score import corpus_bleu  # a script without plans need not load nltk
    pairs = [([[step.op for step in reference]], [step.op for step in plan])
             for plan, reference in zip(plans, references, strict=True) if len(reference)]
    if not pairs or not any(names for _, names in pairs):
        return 0.0 if pairs else None
    listed, names = zip(*pairs, strict=True)
    return float(corpus_bleu(listed, names, weights=(1,)))


def parameter_errors(plans: Sequence[Plan], references: Sequence[Plan]) -> dict[str, float]:
    """Return {operator: mean squared error} of the parameters, over the operators that both plans of a pair contain.

    Parameters are measured in units of the operator's range, so that errors lie in [0, 1]. If a plan repeats an
    operator, its first step counts.
    """
    errors = {}
    for plan, reference in zip(plans, references, strict=True):
        ours, theirs = ({step.op: step.params for step in reversed(list(steps))} for steps in (plan, reference))
        for name in ours.keys() & theirs.keys():
            if row := TABLE[name].n_params and TABLE[name]:
                difference = torch.tensor(ours[name]) - torch.tensor(theirs[name])
                errors.setdefault(name, []).append((difference / (row.high - row.low)).square().mean().item())
    return {name: sum(values) / len(values) for name, values in sorted(errors.items())}
