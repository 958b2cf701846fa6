"""Whether a run is well: the gradients of its networks, collapsed losses, and a planner that does not see the photo."""
import math
from collections import deque

WINDOW = 100      # iterations over which a loss is averaged before anything is said of it
SEEING = 0.2      # share of the CNN's units that must vary over a validation batch
EXPLODED = 10.0   # times the size of the smallest average so far (at least 1) by which a loss may exceed it


def gradients(network):
    """Return the norm of a network's gradient, and the shares of its tensors where that is zero and not finite.

    A tensor without a gradient counts as zero; parameters that do not learn are left out.
    """
    import torch
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    known = [parameter.grad for parameter in learning if parameter.grad is not None]
    if not known:
        return {"gradient": 0.0, "zero": 1.0, "non-finite": 0.0}
    norms = torch.stack(torch._foreach_norm([gradient.detach().float() for gradient in known]))
    finite = norms.isfinite()
    zero = (norms == 0).sum().item() + len(learning) - len(known)
    return {"gradient": norms[finite].norm().item(), "zero": zero / len(learning),
            "non-finite": (~finite).sum().item() / len(learning)}


class Watch:
    """Follows the sums of losses, by network, and says once when the run has collapsed."""

    def __init__(self, floors):
        """Begin; `floors` are the least mean losses of healthy networks by name, None where there is none."""
        self.floors = floors
        self.recent = {name: deque(maxlen=WINDOW) for name in floors}
        self.least = dict.fromkeys(floors, math.inf)
        self.verdict = None

    def see_validation(self, iteration, seeing):
        """Take in the share of the CNN's units that vary over photos, or None; return a sentence if it is small."""
        if self.verdict or seeing is None or seeing >= SEEING:
            return None
        self.verdict = (f"blind by iteration {iteration}: {seeing:.0%} of the units of the visual encoder vary over "
                        f"the validation photos, so the planner does not see the photo; take --vis_encoder "
                        f"photometric, or lower --learning_rate")
        return self.verdict

    def see(self, iteration, losses):
        """Take in the sums of losses of one iteration, {name: value}; return a sentence when the run collapses now."""
        for name, loss in losses.items():
            window = self.recent[name]
            window.append(loss)
            if self.verdict or len(window) < WINDOW:
                continue
            mean = sum(window) / WINDOW
            floor, self.least[name] = self.floors[name], min(self.least[name], mean)
            if floor is not None and mean < floor:
                self.verdict = (f"collapsed by iteration {iteration}: the loss of {name} stayed below {floor} for "
                                f"{WINDOW} iterations, so it tells every edit from the real ones, and what it judges "
                                f"learns nothing from it any more; make it weaker (--ndf, --num_D) or slower")
            elif floor is None and mean > self.least[name] + max(EXPLODED * abs(self.least[name]), 1):
                self.verdict = (f"collapsed by iteration {iteration}: the loss of {name} has grown to {mean:.3g} from "
                                f"{self.least[name]:.3g}; lower --learning_rate, or add losses that hold it to the "
                                f"target")
            if self.verdict:
                return self.verdict
        return None
