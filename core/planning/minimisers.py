"""SciPy's minimisers in place of the structured fits: slow, but an independent reference for them."""
import torch

from core.operators import Operator, apply

SETTINGS = {
    "nelder-mead": {"method": "Nelder-Mead", "options": {"maxfev": 1000, "xatol": 1e-3, "fatol": 1e-5}},
    "lbfgs": {"method": "L-BFGS-B", "jac": True, "options": {"maxiter": 100}},
}


def minimise(optimizer: str, operator: Operator, image: torch.Tensor, target: torch.Tensor,
             valid: torch.Tensor) -> torch.Tensor:
    """Return the parameters (N, n) that SciPy finds from a neutral start, one sample after the other."""
    return torch.stack([_minimise_one(SETTINGS[optimizer], operator, x[None], y[None], valid)
                        for x, y in zip(image, target, strict=True)])


def _minimise_one(settings, operator, image, target, valid):
    from scipy.optimize import minimize  # a slow import, needed for the comparison only

    bounds = [(param.low, param.high) for param in operator.params]

    def distance(values):
        params = torch.as_tensor(values, dtype=image.dtype, device=image.device)[None]
        if not settings.get("jac"):
            return (apply(operator, image, params) - target).abs()[..., valid].mean().item()
        params.requires_grad_()
        with torch.enable_grad():
            value = (apply(operator, image, params) - target).abs()[..., valid].mean()
            value.backward()
        return value.item(), params.grad[0].double().cpu().numpy()

    start = operator.neutral.numpy()
    found = minimize(distance, start, bounds=bounds, **settings).x
    return operator.normalise(torch.as_tensor(found, dtype=image.dtype, device=image.device))
