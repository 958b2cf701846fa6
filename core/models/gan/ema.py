"""Exponential moving average of a network's weights: an averaged generator gives steadier images."""
import copy

import torch

WARM_UP = 10   # the n-th update averages with a decay of at most (1 + n) / (WARM_UP + n): initial weights fade


class EMA:
    """The exponential moving average of a network's weights (Karras et al. 2018), itself a network in eval mode.

    `network` is the average; save it like any other network. `updates` counts the updates so far. To resume, give the
    count to the constructor and load the saved average into `network`.
    """

    def __init__(self, network, decay, updates=0):
        """Start from the network's weights.

        Args: `decay` in [0, 1), the share of the average that an update keeps after the warm-up; `updates`, their count
        so far.
        """
        if not 0 <= decay < 1:
            raise ValueError(f"decay {decay}: give a number from 0 to below 1")
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay, self.updates = decay, updates

    @torch.no_grad()
    def update(self, network):
        """Move the average towards the network's weights; copy its buffers, such as the statistics of batch norm."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (WARM_UP + self.updates))
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight.to(average), 1 - decay)
        for average, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(buffer)
