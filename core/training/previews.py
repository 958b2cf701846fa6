"""Preview pages of a network in training."""
import torch

from core.methods.generator import ImageMethod
from core.methods.planner import PlannerMethod, as_result
from core.models.planner import Planner
from core.operators import Mask
from core.pages import write_results

EXAMPLES = 12


@torch.no_grad()
def write_previews(training, network, dataset):
    """Write `<run>/train/web/`: the present results of a planner or image generator on a few evenly spaced samples."""
    if not training.fabric.is_global_zero:
        return
    network = getattr(network, "module", network)
    method = (PlannerMethod if isinstance(network, Planner) else ImageMethod)(network, training.device)

    def results():
        for index in torch.linspace(0, len(dataset) - 1, min(EXAMPLES, len(dataset))).round().int().tolist():
            sample = dataset[index]
            if "masks" in sample:
                mask = Mask.from_array(sample["masks"][0].numpy())
                edited, = method.plans(sample["input"], [sample["request"]], mask)
            else:
                edited = method(sample["input"], sample["request"])
            distance = {name: (image - sample["target"]).abs().mean().item()
                        for name, image in (("input L1", sample["input"]), ("output L1", edited.image))}
            yield as_result(sample["name"], sample["request"], edited, sample["target"], distance)

    title = f"{training.folder.name} after {training.iteration + 1} iterations"
    write_results(training.folder / "train" / "web", title, results())
