"""Pages to look at while a planner trains."""
import torch

from core.engine.editing import PlannerMethod, as_result
from core.operators import execute
from core.pages import write_results

EXAMPLES = 12


@torch.no_grad()
def write_previews(training, planner, dataset):
    """Write `<run>/train/web/`: what the planner makes of a few evenly chosen samples by now."""
    if not training.fabric.is_global_zero:
        return
    method = PlannerMethod(getattr(planner, "module", planner), training.device)

    def results():
        for index in torch.linspace(0, len(dataset) - 1, min(EXAMPLES, len(dataset))).round().int().tolist():
            sample = dataset[index]
            edited, = method.plans(sample["input"], [sample["request"]])
            edited.image = execute(edited.plan, sample["input"])
            distance = {name: (image - sample["target"]).abs().mean().item()
                        for name, image in (("input L1", sample["input"]), ("output L1", edited.image))}
            yield as_result(sample["name"], sample["request"], sample["input"], edited, sample["target"], distance)

    title = f"{training.folder.name} after {training.iteration + 1} iterations"
    write_results(training.folder / "train" / "web", title, results())
