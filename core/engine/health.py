"""Health checks of a training run: gradients, collapsed losses, and planners that do not see the photo."""
import math
from collections import deque

WINDOW = 100      # iterations over which a loss is averaged before it is judged
SEEING = 0.2      # share of the CNN's units that must vary over a validation batch
EXPLODED = 10.0   # a healthy loss rises by at most this many times its smallest average so far, or by 1


def gradients(network):
    """Return the norm of a network's gradient, and the shares of tensors whose gradient is zero or not finite.

    A tensor without a gradient counts as zero; frozen parameters are left out.
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
    """Watches the summed losses of each network, and reports once when the run has collapsed."""

    def __init__(self, floors):
        """Start watching; `floors` is {network: smallest mean loss of a healthy network, or None for no limit}."""
        self.floors = floors
        self.recent = {name: deque(maxlen=WINDOW) for name in floors}
        self.least = dict.fromkeys(floors, math.inf)
        self.verdict = None

    def see_validation(self, iteration, seeing):
        """Check `seeing`, the share of units that vary over photos, or None; return a sentence if it is too small."""
        if self.verdict or seeing is None or seeing >= SEEING:
            return None
        self.verdict = (f"blind by iteration {iteration}: {seeing:.0%} of the units of the visual encoder vary over "
                        f"the validation photos, so the planner does not see the photo; take --vis_encoder "
                        f"photometric, or lower --learning_rate")
        return self.verdict

    def see(self, iteration, losses):
        """Check one iteration's summed losses, {network: value}; return a sentence if the run has collapsed now."""
        for name, loss in losses.items():
            window = self.recent[name]
            window.append(loss)
            if self.verdict or len(window) < WINDOW:
                continue
            mean = sum(window) / WINDOW
            floor, self.least[name] = self.floors[name], min(self.least[name], mean)
            if floor is not None and mean < floor:
                self.verdict = (f"collapsed by iteration {iteration}: the loss of {name} stayed below {floor} for "
                                f"{WINDOW} iterations: this network tells every edit from a real photo, so the "
                                f"generator learns nothing more; weaken it (--ndf, --num_D) or lower --learning_rate_D")
            elif floor is None and mean > self.least[name] + max(EXPLODED * abs(self.least[name]), 1):
                self.verdict = (f"collapsed by iteration {iteration}: the loss of {name} has grown to {mean:.3g} from "
                                f"{self.least[name]:.3g}; lower --learning_rate, or add losses that compare with "
                                f"the target")
            if self.verdict:
                return self.verdict
        return None
