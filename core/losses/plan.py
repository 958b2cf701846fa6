"""Losses of a predicted plan against a known one."""
import torch.nn.functional as F


def operator_nll(log_probabilities, ops):
    """Return the mean negative log-likelihood of the next operator; padding does not count.

    Args: `log_probabilities` (B, T + 1, V); `ops` (B, T + 2): START, operators, END, padding 0.
    """
    return F.nll_loss(log_probabilities.flatten(0, 1), ops[:, 1:].flatten(), ignore_index=0)


def parameter_loss(predicted, params, ops, vocab):
    """Return the smooth L1 distance of parameters, averaged over each operator's parameters, then over the steps.

    So an operator with many parameters weighs no more than another. Smooth L1 limits the weight of outliers. Padding
    does not count.

    Args: `predicted`, `params` (B, T, P) padded with 0; `ops` (B, T + 2); `vocab` the OperatorVocab.
    """
    steps = ops[:, 1:-1]
    counts = params.new_tensor([0 if (row := vocab[i]) is None else row.n_params for i in range(len(vocab))])[steps]
    per_step = F.smooth_l1_loss(predicted, params, reduction="none", beta=0.05).sum(-1) / counts.clamp_min(1)
    return (per_step * (counts > 0)).sum() / (counts > 0).sum().clamp_min(1)


def parameter_mse(predicted, params, ops, vocab):
    """Return the mean squared error of parameters, averaged over each operator's parameters, then over the steps.

    The notebook's loss of parameters; see `parameter_loss` for the arguments and the treatment of padding.
    """
    steps = ops[:, 1:-1]
    counts = params.new_tensor([0 if (row := vocab[i]) is None else row.n_params for i in range(len(vocab))])[steps]
    per_step = (predicted - params).square().sum(-1) / counts.clamp_min(1)
    return (per_step * (counts > 0)).sum() / (counts > 0).sum().clamp_min(1)
