"""Measure LDIE against plain references on this machine, print one table, and save it as JSON.

  planner    search for a plan, against the same search with SciPy's Nelder-Mead (one thread)
  executor   execution of a plan of five operators, against kornia, PyTorch on tiles, Pillow, OpenCV and libvips
  command    `edit.py --replay` of that plan and `edit.py --help`, start to end, against a script of Pillow calls
  workbench  from the move of a slider to the picture for the browser, on the server
  training   one iteration of the seq2seq planner, against a plain implementation of its losses
  inference  from a decoded photo and a request to the plan (one thread), against encoding the whole photo
  busy       planning beside one busy process per core, against planning without these processes

Each row is a ratio of two medians over several calls, measured in one run with fixed sizes and seeds. Every part runs
in its own process, so that the memory of one part does not count for another.

  python bench/bench.py --data_root photos/RetouchReq
  python bench/bench.py --rows executor,inference
"""
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from PIL import Image
from tabulate import tabulate
from tqdm import tqdm

from bench import inputs
from bench.busy import measure_beside
from bench.measure import HEADER, Row, measure, run_command, seconds_on_cores
from bench.pillow_chain import pillow_chain
from bench.pillow_script import edit as pillow_edit
from bench.plain_planner import free_running_loss, teacher_forced_losses
from bench.references import compiled_chain, opencv_chain, pillow_table, tiled_chain, vips_chain, whole_image_chain
from core.datasets import to_tensor, to_uint8
from core.engine.cli import run
from core.engine.options import Parser, some_of
from core.engine.publish import machine, publish
from core.files import UserError, read_json, write_json
from core.losses.plan import operator_nll, parameter_loss
from core.methods.planner import PlannerMethod
from core.models.vision import has_bf16
from core.operators import Plan, execute, execute_samples
from core.planning import action_options, plan_pairs
from core.studio.workbench import Card, Workbench


@dataclass(frozen=True)
class Sizes:
    """Sizes and repetitions of the measurements; pictures are (width, height) in pixels."""

    pairs: int = 32            # pairs that are planned in one batch, as in prepro/gen_greedy_seqs.py
    reference_every: int = 3   # the slow reference plans every third pair
    side: int = 128
    beam: int = 3
    max_steps: int = 6
    small: tuple[int, int] = (900, 600)
    large: tuple[int, int] = (6000, 4000)
    command: tuple[int, int] = (1200, 800)
    photos: int = 4            # photos of a folder
    compiled: bool = True      # measure what `torch.compile` makes of kornia's operators
    batch: int = 64
    vis_encoder: str = "resnet18"
    runs: int = 5
    slow_runs: int = 2   # runs of a call that takes ten seconds or more
    rounds: int = 20     # each round calls the work without and beside busy processes
    calls: int = 5       # calls without and calls beside busy processes in each round


QUICK = Sizes(pairs=1, reference_every=1, side=32, beam=1, max_steps=1, small=(90, 60), large=(120, 80),
              command=(90, 60), photos=2, compiled=False, batch=4, vis_encoder="small", runs=1, slow_runs=1, rounds=1,
              calls=1)


def planner_rows(sizes, data_root):
    """Measure the search for the plans of a few pairs, on one thread."""
    torch.set_num_threads(1)
    before, after = inputs.pairs(sizes.pairs, sizes.side, data_root)
    chosen = range(0, len(before), sizes.reference_every)
    fast = action_options(1, beam=sizes.beam, max_steps=sizes.max_steps)
    slow = replace(fast, optimizer="nelder-mead")
    seconds, _ = measure("planner, in a batch", lambda: plan_pairs(before, after, fast), sizes.slow_runs)
    single, _ = measure("planner, one by one", lambda: [plan_pairs(before[i:i + 1], after[i:i + 1], fast)
                                                        for i in chosen], sizes.slow_runs)
    planned = plan_pairs(before, after, fast)
    begin, found = time.perf_counter(), []
    for i in tqdm(chosen, desc="Nelder-Mead", unit="pair", leave=False):   # slow, so one run is enough
        found += plan_pairs(before[i:i + 1], after[i:i + 1], slow)
    reference = (time.perf_counter() - begin) / len(chosen)
    about = f"{Path(data_root).resolve().name if data_root else 'synthetic'} pairs at {sizes.side} px"
    yield Row(f"planner: time per pair, {len(before)} {about} in a batch", "s", seconds / len(before), reference,
              ratio_at_most=1 / 100)
    yield Row(f"planner: time per pair, {len(chosen)} of them one by one", "s", single / len(chosen), reference)
    yield Row("planner: mean final L1 of these", "", mean_distance([planned[i] for i in chosen]), mean_distance(found),
              ratio_at_most=0.90)


def mean_distance(found):
    """Return the mean final L1 of a list of `Planned`."""
    return sum(planned.l1_output for planned in found) / len(found)


def executor_rows(sizes, data_root):
    """Measure the execution of a plan of five operators, from the decoded array to the result, on all cores."""
    for (width, height), runs, limits in ((sizes.small, sizes.runs, (None, None, 0.35, None)),
                                          (sizes.large, sizes.slow_runs, (1 / 10, 400, 0.25, 1 / 5))):
        name, picture = f"executor, {width}x{height}", inputs.photo(width, height)
        image = to_tensor(picture)
        seconds, megabytes = measure(name, lambda image=image: execute(inputs.PLAN, image), runs)
        reference, taken = measure(f"{name}: kornia", lambda image=image: whole_image_chain(
            inputs.PLAN, image[None]), runs)
        yield Row(f"{name}: time, kornia chain", "s", seconds, reference, ratio_at_most=limits[0])
        yield Row(f"{name}: memory beyond input and result", "MB", megabytes, taken, at_most=limits[1])
        def ours(picture=picture):
            return execute_samples(inputs.PLAN, picture)
        seconds, _ = measure(f"{name}: 8 bits", ours, runs)
        on_cores = seconds_on_cores(ours, runs)
        references = {
            "Pillow chain": (partial(pillow_chain, inputs.PLAN), limits[2]),
            "PyTorch on tiles": (lambda picture: to_uint8(tiled_chain(inputs.PLAN, to_tensor(picture)[None])[0]),
                                 limits[3]),
            "OpenCV chain": (partial(opencv_chain, inputs.PLAN), None),
            "one 3D table of Pillow": (pillow_table, None)}
        if find_spec("pyvips"):
            references["libvips chain"] = partial(vips_chain, inputs.PLAN), None
        if sizes.compiled and (shutil.which("g++") or shutil.which("clang++")):
            references["kornia chain, torch.compile"] = compiled_chain(inputs.PLAN), None
        for reference, (work, limit) in references.items():
            work = partial(work, picture)
            taken, _ = measure(f"{name}: {reference}", work, runs)
            yield Row(f"{name}: time from 8 bits to 8 bits, {reference}", "s", seconds, taken, ratio_at_most=limit)
            yield Row(f"{name}: the same on the cores", "s", on_cores, seconds_on_cores(work, runs))


def command_rows(sizes, data_root):
    """Measure whole commands: start of Python, imports, decoding, editing, encoding.

    Other work on the machine changes the time of a command more than its time on the cores, so both are measured.
    """
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        plan, empty, out = (str(Path(folder, name)) for name in ("plan.json", "empty.json", "out.jpg"))
        inputs.PLAN.save(plan)
        Plan().save(empty)
        for side, limits in ((sizes.large, (1.2, 2, 400)), (sizes.command, (None, None, None))):
            photo, name = str(Path(folder, "photo.jpg")), f"edit.py --replay, {side[0]}x{side[1]}"
            Image.fromarray(inputs.photo(*side)).save(photo, quality=95)
            ours = run_command([root / "core/edit.py", "--img", photo, "--replay", plan, "--out", out, "--overwrite"],
                               sizes.runs)
            script, codec = (run_command([root / "bench/pillow_script.py", photo, file, out], sizes.runs)
                             for file in (plan, empty))
            yield Row(f"{name}: time, script of Pillow calls", "s", ours.wall, script.wall, ratio_at_most=limits[0])
            yield Row(f"{name}: time, decoding and encoding by Pillow", "s", ours.wall, codec.wall,
                      ratio_at_most=limits[1])
            yield Row(f"{name}: time on the cores, script of Pillow calls", "s", ours.cores, script.cores)
            yield Row(f"{name}: memory of the process, script of Pillow calls", "MB", ours.megabytes, script.megabytes,
                      at_most=limits[2])
        Image.fromarray(inputs.photo(*sizes.large)).save(photo, quality=95)
        photos = Path(folder, "photos")
        photos.mkdir()
        for number in range(sizes.photos):
            shutil.copy(photo, photos / f"{number}.jpg")
        one, many = (run_command([root / "core/edit.py", "--img", source, "--replay", plan, "--out", target,
                                  "--overwrite"], sizes.slow_runs)
                     for source, target in ((photo, out), (photos, str(Path(folder, "edited")))))
        codec, _ = measure("codec", lambda: pillow_edit(photo, (), out), sizes.slow_runs)
        yield Row(f"edit.py --img FOLDER --replay, {sizes.large[0]}x{sizes.large[1]}: time for each further photo, "
                  "decoding and encoding by Pillow", "s", (many.wall - one.wall) / (sizes.photos - 1), codec)
    ours, numbers = (run_command(command, sizes.runs) for command in (
        [root / "core/edit.py", "--help"], ["-c", "import numpy, argparse"]))
    yield Row("edit.py --help: time on the cores, import of NumPy and argparse", "s", ours.cores, numbers.cores,
              ratio_at_most=3)


def workbench_rows(sizes, data_root):
    """Measure the server's work after the move of a slider: five steps on the preview, and the picture's encoding."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "photo.jpg")
        Image.fromarray(inputs.photo(*sizes.large)).save(photo, quality=95)
        bench = replace(Workbench.open(photo), cards=tuple(Card.of(step) for step in inputs.PLAN))
        values = iter(np.linspace(0.1, 0.4, 1 + 4 * sizes.runs))
        seconds, _ = measure("workbench", lambda: bench.move(0, next(values)).shown(), 4 * sizes.runs)
    yield Row(f"workbench, {sizes.large[0]}x{sizes.large[1]}: from a slider to the picture", "ms", 1000 * seconds,
              at_most=60)


def training_rows(sizes, data_root):
    """Measure both steps of a training iteration, from the batch to the updated weights, on all cores."""
    teacher, free, taken = iteration("training", LOSSES, sizes)
    plain_teacher, plain_free, plain_taken = iteration("plain training", PLAIN_LOSSES, sizes)
    about = f"training, batch {sizes.batch} at {sizes.side} px, {sizes.vis_encoder}"
    yield Row(f"{about}: teacher-forced step", "s", teacher, plain_teacher)
    yield Row(f"{about}: free-running step", "s", free, plain_free)
    yield Row(f"{about}: iteration", "s", teacher + free, plain_teacher + plain_free, at_most=6.3)
    yield Row(f"{about}: memory", "MB", taken, plain_taken, at_most=2800)
    if has_bf16():   # on other processors bf16 is slower than float32
        teacher, free, taken = iteration("training, bf16-mixed", LOSSES, sizes, mixed=True)
        yield Row(f"{about}, bf16-mixed: iteration", "s", teacher + free, plain_teacher + plain_free, at_most=6.3)
        yield Row(f"{about}, bf16-mixed: memory", "MB", taken, plain_taken, at_most=2800)


def iteration(label, losses, sizes, mixed=False):
    """Return the median seconds of the teacher-forced and the free-running step, and the larger of their megabytes."""
    planner = inputs.untrained_planner(sizes.vis_encoder).train()
    batch = inputs.training_batch(planner, sizes.batch, sizes.side)
    optimizer = torch.optim.Adam([p for p in planner.parameters() if p.requires_grad], 1e-3)

    def step(loss_of):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = loss_of(planner, batch)
        loss.backward()
        optimizer.step()
    (teacher, taken), (free, more) = (measure(f"{label}, {name}", lambda loss_of=loss_of: step(loss_of),
                                              sizes.slow_runs) for name, loss_of in losses.items())
    return teacher, free, None if taken is None else max(taken, more)


def teacher_forced(planner, batch):
    log_probabilities, params = planner.teacher_forced(batch["input"], batch["request_ids"], batch["ops"],
                                                       batch["params"])
    return (operator_nll(log_probabilities, batch["ops"])
            + parameter_loss(params, batch["params"], batch["ops"], planner.vocab))


def free_running(planner, batch):
    return (planner(batch["input"], batch["request_ids"]).image - batch["target"]).abs().mean()


def plain_teacher_forced(planner, batch):
    return sum(teacher_forced_losses(planner, batch["input"], batch["request_ids"], batch["ops"], batch["params"]))


def plain_free_running(planner, batch):
    return free_running_loss(planner, batch["input"], batch["request_ids"], batch["target"])


LOSSES = {"teacher-forced": teacher_forced, "free-running": free_running}
PLAIN_LOSSES = {"teacher-forced": plain_teacher_forced, "free-running": plain_free_running}


def inference_rows(sizes, data_root):
    """Measure the planning of five steps for a decoded photo and a request, on one thread."""
    torch.set_num_threads(1)
    image = to_tensor(inputs.photo(*sizes.small))
    for vis_encoder in dict.fromkeys((sizes.vis_encoder, "small")):
        method = PlannerMethod(inputs.untrained_planner(vis_encoder))
        ids = torch.tensor([method.vocab.encode(inputs.REQUEST)])
        seconds, _ = measure(f"inference, {vis_encoder}", lambda method=method: method.plans(image, [inputs.REQUEST]),
                             sizes.runs)
        with torch.no_grad():
            reference, _ = measure(f"inference, {vis_encoder}, whole photo",
                                   lambda method=method, ids=ids: method.planner(image[None], ids), sizes.slow_runs)
        about = f"inference, {'x'.join(map(str, sizes.small))}, {vis_encoder}"
        yield Row(f"{about}: five steps", "ms", 1000 * seconds, 1000 * reference, at_most=60)
        if method.quick():
            seconds, _ = measure(f"{about}, quick", lambda method=method: method.plans(image, [inputs.REQUEST]),
                                 sizes.runs)
            yield Row(f"{about}, --quick: five steps", "ms", 1000 * seconds, 1000 * reference, at_most=60)


def busy_rows(sizes, data_root):
    """Measure planning for a thumbnail beside one busy process per core, with as many threads as a script uses.

    Beside busy processes the scheduler gives a single thread about half of its core. The row with a loop of plain
    Python shows the cost of this sharing alone.
    """
    image, method = to_tensor(inputs.photo(sizes.side, sizes.side)), PlannerMethod.of()
    quiet, busy = measure_beside("busy", lambda: method.plans(image, [inputs.REQUEST]), sizes.rounds, sizes.calls)
    yield Row(f"beside one busy process per core: plan at {sizes.side} px, the planner that ships", "ms", 1000 * busy,
              1000 * quiet, ratio_at_most=2)
    quiet, busy = measure_beside("busy loop", lambda: sum(range(1_000_000)), sizes.rounds, sizes.calls)
    yield Row("beside one busy process per core: a loop of plain Python", "ms", 1000 * busy, 1000 * quiet)


ROWS = {"planner": planner_rows, "executor": executor_rows, "command": command_rows, "workbench": workbench_rows,
        "training": training_rows, "inference": inference_rows, "busy": busy_rows}


def main():
    options = arguments().parse_args()
    begin = time.strftime("%Y-%m-%dT%H%M%S")
    if options.data_root:
        inputs.pairs(1, 8, options.data_root)   # a fault of the data set is reported now, not after ten minutes
    if len(options.rows) == 1:
        rows = measured(options)
    else:
        rows = [row for name in tqdm(options.rows, desc="bench", unit="part") for row in in_own_process(name, options)]
    report = {"date": begin, "machine": machine(), "quick": options.quick, "data_root": options.data_root,
              "rows": [row.to_dict() for row in rows]}
    path = Path(options.output) / "bench" / f"{begin}.json"
    write_json(path, report, indent=1)
    publish(options, "bench", {"rows": report["rows"]})
    print(tabulate([row.cells() for row in rows], HEADER, disable_numparse=True, colalign=["left"] * 2 + ["right"] * 3))
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    if options.quick:
        print("--quick: the sizes are too small to measure speed")
    print(f"figures: {path}")


def measured(options):
    """Measure one part in this process."""
    name, = options.rows
    return list(ROWS[name](QUICK if options.quick else Sizes(), options.data_root))


def in_own_process(name, options):
    """Measure one part in a new process; return its rows."""
    flags = [*(["--quick"] if options.quick else []),
             *(["--data_root", options.data_root] if options.data_root else [])]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--rows", name, "--output", folder, *flags]
        finished = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if finished.returncode:
            raise UserError(f"--rows {name}: could not be measured (exit code {finished.returncode}); run it alone")
        report, = Path(folder, "bench").glob("*.json")
        return [Row.from_dict(row) for row in read_json(report)["rows"]]


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--rows", type=some_of(ROWS, "part"), default=",".join(ROWS), help="parts, separated by commas")
    parser.add_argument("--data_root", help="data set whose val pairs are planned, such as photos/RetouchReq; by "
                        "default synthetic pairs are made")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and single runs, to test the bench itself")
    parser.add_argument("--output", default="output", help="the table is saved as JSON in its folder bench/")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
