"""The references of the bench compute the same results as LDIE, and the bench runs."""
import json
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image
from small_dataset import entries_of, write_dataset

from bench import busy
from bench.inputs import PLAN, WORDS, training_batch
from bench.measure import Row, measure
from bench.pillow_chain import pillow_chain
from bench.plain_planner import free_running_loss, teacher_forced_losses
from bench.references import opencv_chain, tiled_chain, vips_chain, whole_image_chain
from core.losses.plan import operator_nll, parameter_loss
from core.models.planner import Planner, PlannerConfig
from core.operators import TABLE, Plan, Step, execute

OPERATORS = ("brightness", "contrast", "saturation", "hue", "sharpness")


def random_plan(seed):
    """Return a plan of all five operators in random order, with random parameters within the bounds."""
    rng = np.random.default_rng(seed)
    rows = [TABLE[name] for name in rng.permutation(OPERATORS)]
    return Plan(tuple(Step.make(row.name, rng.uniform(row.low, row.high, row.n_params)) for row in rows))


def as_tensor(picture):
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


def test_the_tiles_of_pytorch_give_the_executors_pixels_and_opencv_about_them(photo):
    picture = photo(150, 600, 0)
    expected = execute(PLAN, as_tensor(picture))
    assert (tiled_chain(PLAN, as_tensor(picture)[None])[0] - expected).abs().max() < 1e-5
    assert (as_tensor(opencv_chain(PLAN, picture)) - expected).abs().mean() < 0.1


def test_libvips_gives_about_the_pixels_of_opencv(photo):
    pytest.importorskip("pyvips")
    picture = photo(150, 600, 0)
    assert np.abs(vips_chain(PLAN, picture).astype(int) - opencv_chain(PLAN, picture)).mean() < 3


@pytest.mark.parametrize("seed", range(6))
def test_the_kornia_chain_gives_the_executors_pixels(photo, seed):
    image = as_tensor(photo(60, 90, seed))
    for plan in (PLAN, random_plan(seed)):
        expected = execute(plan, image)
        assert (expected - image).abs().mean() > 0.01
        assert (whole_image_chain(plan, image[None])[0] - expected).abs().max() < 2e-3


def test_the_kornia_chain_gives_the_pixels_of_tiles(photo):
    image = as_tensor(photo(601, 907))
    assert (whole_image_chain(PLAN, image[None])[0] - execute(PLAN, image)).abs().max() < 2e-3


@pytest.mark.parametrize("step", [Step.make("brightness", [-0.4]), Step.make("brightness", [0.1]),
                                  Step.make("hue", [*range(4, 12), *[1] * 8, *range(12, 4, -1)]),
                                  Step.make("sharpness", [0.4])], ids=lambda step: f"{step.op} {step.params[0]:.1f}")
def test_pillow_agrees_up_to_rounding(photo, step):
    picture = photo(40, 50) // 5 * 4 + 10   # not near white, where Pillow clips and the executor keeps the hue
    expected = 255 * execute(Plan((step,)), as_tensor(picture)).permute(1, 2, 0).numpy()
    difference = np.abs(pillow_chain(Plan((step,)), picture) - expected)[1:-1, 1:-1]   # Pillow leaves the border
    assert difference.max() <= 1.01


@pytest.mark.parametrize("op", ["contrast", "saturation"])
@pytest.mark.parametrize("p", [-0.5, 0.3])
def test_contrast_and_saturation_of_pillow_move_a_picture_the_same_way(photo, op, p):
    picture = photo(40, 50)
    plan = Plan((Step.make(op, [p]),))
    measured = np.std if op == "contrast" else lambda image: np.ptp(image.astype(float), axis=2).mean()
    expected = execute(plan, as_tensor(picture)).permute(1, 2, 0).numpy() * 255
    for edited in (pillow_chain(plan, picture), expected):
        assert (measured(edited) > measured(picture)) == (p > 0)


def test_neutral_steps_leave_a_pillow_picture(photo):
    picture = photo(20, 30)
    plan = Plan(tuple(Step.make(name, TABLE[name].neutral) for name in OPERATORS))
    assert np.array_equal(pillow_chain(plan, picture), picture)


def planner_of(vis_encoder, seed=0, **changes):
    """Return a planner in eval mode with large weights of words and operators, so that its samples differ."""
    torch.manual_seed(seed)
    planner = Planner(PlannerConfig(WORDS, vis_encoder=vis_encoder, hidden_size=24, vector_size=10, **changes)).eval()
    with torch.no_grad():
        planner.operator_head.weight.mul_(20)
        planner.request_encoder.words.mul_(8)
    return planner


def varied_batch(planner):
    """Return a batch of ten samples, from dark to bright."""
    batch = training_batch(planner, 10, 32)
    batch["input"] *= torch.linspace(0.1, 1, 10)[:, None, None, None]
    return batch


PLANNERS = pytest.mark.parametrize("planner_kind", [
    {"vis_encoder": "small"}, {"vis_encoder": "small", "use_attention": False}, {"vis_encoder": "resnet18"},
    {"vis_encoder": "small", "seed": 3}], ids=lambda kind: " ".join(map(str, kind.values())))


@PLANNERS
def test_teacher_forced_losses_are_those_of_the_plain_reference(planner_kind):
    planner = planner_of(**planner_kind)
    batch = varied_batch(planner)
    args = batch["input"], batch["request_ids"], batch["ops"], batch["params"]
    log_probabilities, params = planner.teacher_forced(*args)
    losses = (operator_nll(log_probabilities, batch["ops"]),
              parameter_loss(params, batch["params"], batch["ops"], planner.vocab))
    plain = teacher_forced_losses(planner, *args)
    torch.testing.assert_close(losses, plain, atol=1e-4, rtol=0)
    assert_same_gradients(planner, sum(losses), sum(plain))


@PLANNERS
def test_the_free_running_loss_is_that_of_the_plain_reference(planner_kind):
    planner = planner_of(**planner_kind)
    batch = varied_batch(planner)
    planned = planner(batch["input"], batch["request_ids"])
    loss = (planned.image - batch["target"]).abs().mean()
    plain = free_running_loss(planner, batch["input"], batch["request_ids"], batch["target"])
    lengths = {len(planned.plan(planner.vocab, i)[0]) for i in range(10)}
    assert len(lengths) > 1, "some plans end before others"
    torch.testing.assert_close(loss, plain, atol=1e-4, rtol=0)
    assert_same_gradients(planner, loss, plain)


def assert_same_gradients(planner, *losses):
    weights = [weight for weight in planner.parameters() if weight.requires_grad]
    ours, plain = (torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True) for loss in losses)
    scale = max(gradient.abs().max() for gradient in plain)
    assert scale > 0
    for a, b in zip(ours, plain, strict=True):
        assert (a - b).abs().max() < 1e-3 * scale


def test_a_plan_of_padding_only_has_no_parameter_loss():
    planner = planner_of("small")
    batch = training_batch(planner, 2, 32)
    ops = torch.tensor([[1, 2, 0, 0, 0, 0, 0]] * 2)
    operator, parameter = teacher_forced_losses(planner, batch["input"], batch["request_ids"], ops, batch["params"])
    assert operator > 0
    assert parameter == 0


@pytest.mark.parametrize(("row", "met"), [
    (Row("a", "s", 1.0, 4.0, ratio_at_most=0.3), True), (Row("a", "s", 1.0, 2.0, ratio_at_most=0.3), False),
    (Row("a", "MB", 399.0, 800.0, at_most=400), True), (Row("a", "MB", 401.0, at_most=400), False),
    (Row("a", "s", 1.0, 2.0), None), (Row("a", "MB", None, 2.0, at_most=400), None),
    (Row("a", "s", 1.0, ratio_at_most=0.3), None)])
def test_a_row_knows_whether_its_target_is_met(row, met):
    assert row.met is met
    assert Row.from_dict(json.loads(json.dumps(row.to_dict()))) == row
    assert row.cells()[-1] == {True: "yes", False: "NO", None: ""}[met]


def test_memory_is_measured_without_the_result_of_the_work():
    def work():
        taken = torch.ones(25 << 20)   # 100 MB
        return taken[:5 << 20].clone()
    _, megabytes = measure("work", work, 1)
    assert megabytes is None or 95 < megabytes < 130   # None: not Linux


def run_bench(run_script, folder, rows, *flags):
    result = run_script("bench/bench.py", "--quick", "--rows", rows, "--output", folder, *flags)
    assert result.code == 0, result.err
    report = json.loads(next((folder / "bench").glob("*.json")).read_text())
    assert report["quick"]
    assert report["machine"]["cores"] >= 1
    for row in report["rows"]:
        assert row["ours"] is None or row["ours"] >= 0
        assert row["what"] in result.out
    return report["rows"]


def test_the_bench_measures_the_planner_on_given_pairs(run_script, photo, tmp_path):
    root = write_dataset(tmp_path / "mine", photo, {"val": entries_of([1, 2])})
    rows = run_bench(run_script, tmp_path, "planner", "--data_root", root)
    assert "1 mine pairs" in rows[0]["what"]
    assert rows[0]["ratio"] < 1
    assert rows[-1]["ratio_at_most"] == 0.90


def test_the_bench_measures_training(run_script, tmp_path):
    rows = run_bench(run_script, tmp_path, "training")
    assert {row["unit"] for row in rows} == {"s", "MB"}
    assert sum("iteration" in row["what"] and row["at_most"] == 6.3 for row in rows) >= 1


def test_several_parts_are_measured_each_in_its_own_process(run_script, tmp_path):
    rows = run_bench(run_script, tmp_path, "executor,inference")
    assert {row["what"].split(",")[0] for row in rows} == {"executor", "inference"}
    assert [row["at_most"] for row in rows if row["unit"] == "ms"] == [60]


def test_the_bench_measures_a_plan_beside_busy_processes(run_script, tmp_path):
    rows = run_bench(run_script, tmp_path, "busy")
    assert [(row["unit"], row["ratio_at_most"]) for row in rows] == [("ms", 2), ("ms", None)]
    assert rows[0]["reference"] > 0


def test_busy_processes_end_with_the_block(monkeypatch):
    monkeypatch.setattr(busy, "STARTING", 0)
    started, start = [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args: started.append(start(*args)) or started[-1])
    with pytest.raises(KeyError), busy.busy_processes(2):
        assert [process.poll() for process in started] == [None, None]
        raise KeyError
    assert [process.poll() is None for process in started] == [False, False]


def test_operators_are_measured_at_two_sizes(run_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["fade", "dehaze", "rotate", "inpaint_obj"]
    result = run_script("bench/operators.py", "--quick", "--operators", ",".join(names), "--publish", "mine")
    assert result.code == 0, result.err
    figures = json.loads((tmp_path / "docs/results/mine.json").read_text())["figures"]
    assert [row["operator"] for row in figures["rows"]] == names
    for row in figures["rows"]:
        assert min(row["s, small"], row["s, large"]) > 0
        assert row["MB, large"] is None or row["MB, large"] >= 0
        assert isinstance(row["met"], bool)
        assert row["operator"] in result.out


def test_the_script_of_pillow_calls_edits_a_photo(run_well, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo(40, 60)).save("photo.png")
    PLAN.save("plan.json")
    run_well("bench/pillow_script.py", "photo.png", "plan.json", "out.png")
    assert np.array_equal(np.asarray(Image.open("out.png")), pillow_chain(PLAN, photo(40, 60)))


def test_an_unknown_operator_is_not_measured(run_script):
    result = run_script("bench/operators.py", "--operators", "clarity,glow")
    assert result.code == 2
    assert "'glow' is not a known operator" in result.err


def test_a_missing_data_set_is_reported_before_measuring(run_script, tmp_path):
    result = run_script("bench/bench.py", "--quick", "--data_root", tmp_path / "nowhere", "--output", tmp_path)
    assert result.code == 2
    assert "nowhere" in result.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_part_is_refused(run_script):
    result = run_script("bench/bench.py", "--rows", "planner,cooking")
    assert result.code == 2
    assert "'cooking' is not a known part" in result.err
