"""Plan the pairs of a data set: find for each pair a short sequence of operations that turns the input into the output.

The method is a beam search over fitted operators (beam 3, no operator twice, at most 6 steps, stop below 1e-2 L1).
Sets 1 to 11 are the notebook's (core/planning/action_sets.toml), set 40 has the operators of the develop panel; other
numbers from 12 on are free for your own sets. With --masks 1 (the default for GIER), a step may also be limited to a
mask of its pair, and set 1 has inpaint_obj and color_bg, too. The plans are JSON Lines under
<output>/actions_set_{id}/. An interrupted run continues where it stopped. Several processes or a Ray cluster write the
same file as a single process.

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1
  python prepro/gen_greedy_seqs.py --dataset FiveK --action_id 12 --operators brightness,contrast,hue --fixed_order
  python prepro/gen_greedy_seqs.py --dataset FiveK --action_id 1 --import_from T2ONet/output/actions_set_1
  python prepro/gen_greedy_seqs.py --dataset FiveK --action_id 1 --ray 10.0.0.1:6379
"""
from contextlib import closing
from dataclasses import asdict

import _init_paths  # noqa: F401
from tqdm import tqdm

from core.datasets import ActionSet, action_row, action_set_path, import_published
from core.datasets.annotations import PHASES, pair_name
from core.engine.cli import run
from core.engine.data import load_phase, read_phase
from core.engine.language import load_language
from core.engine.options import OFF, ON, Parser, number, parse, some_of
from core.files import UserError, read_json, write_json
from core.methods.planner import THUMBNAIL, Edited, as_result
from core.pages import write_results
from core.planning import action_options
from core.planning.action_sets import OPTIMIZERS, read_sets
from core.planning.cluster import LOCAL, plan_batches

BATCH = 32   # pairs per computation; fixed, so that a resumed or shared run gives the same plans
PAGE = 100   # planned pairs on the page, evenly spaced


def main():
    options = parse(arguments())
    search = action_options(options.action_id, operators=options.operators and options.operators.split(","),
                            fixed_order=options.fixed_order or None, epsilon=options.epsilon, beam=options.beam,
                            max_steps=options.max_steps, tolerance=options.tolerance, optimizer=options.optimizer,
                            seed=options.seed, masks=options.masks)
    for phase in options.phase:
        path = action_set_path(options.action_id, options.dataset, phase, options.session, options.output)
        actions, begun = ActionSet(path), path.with_suffix(".options.json")
        if options.import_from:
            imported = {"import_from": options.import_from}
            refuse_other_options(begun, imported, actions)
            import_phase(options, phase, actions)
            write_json(begun, imported, indent=1)
            continue
        refuse_other_options(begun, {"import_from": None} | asdict(search), actions)
        dataset = load_phase(options, phase, load_language(options).vocab, size=THUMBNAIL,
                             cache=f"{options.output}/cache", masks="candidates" if options.masks else None)
        for sentence in dataset.report():
            print(sentence)
        write_json(begun, asdict(search), indent=1)
        plan_phase(dataset, actions, search, options)
        report(options, phase, actions)
        if options.visualize:
            write_page(dataset, actions, path.parent / f"web_{path.stem}")


def plan_phase(dataset, actions, search, options):
    """Plan the remaining pairs in batches; batches are written to disk in order, each as soon as possible."""
    pairs = {}   # several entries may hold the same pair, each with another request
    for index, entry in enumerate(dataset.annotations):
        pairs.setdefault(pair_name(entry), index)
    chosen = list(pairs.values())[:options.limit]
    batches = [chosen[start:start + BATCH] for start in range(0, len(chosen), BATCH)]
    batches = [batch for batch in batches
               if not all(pair_name(dataset.annotations[index]) in actions.done for index in batch)]
    plans = plan_batches(dataset, batches, search, options.num_workers, options.ray)
    with closing(plans), tqdm(total=len(chosen), initial=len(chosen) - sum(map(len, batches)), unit="pair",
                              desc=f"planning {actions.path.stem}") as bar:
        for indices, planned in zip(batches, plans, strict=True):
            rows = (planned_row(dataset.annotations[index], found)
                    for index, found in zip(indices, planned, strict=True))
            actions.append([row for row in rows if row["name"] not in actions.done])
            bar.update(len(indices))
            bar.set_postfix_str("L1 {l1_input:.4f} -> {l1_output:.4f}".format(**actions.summary()))


def planned_row(entry, found):
    """Return the stored row of a `Planned`."""
    return action_row(entry, found.plan, found.distances)


def import_phase(options, phase, actions):
    """Import plans that are stored in the published layout."""
    rows, sentences = import_published(options.import_from, phase, read_phase(options, phase)[1])
    actions.append([row for row in rows if row["name"] not in actions.done])
    print(*sentences, sep="\n")
    report(options, phase, actions)


def refuse_other_options(path, wanted, actions):
    """Raise UserError if the set was begun with other options than `wanted`; `path` is the file of these options."""
    if len(actions) and path.exists():
        made = {"masks": False} | read_json(path)   # older sets were made before there was a search with masks
        for name, value in wanted.items():
            value = list(value) if isinstance(value, tuple) else value   # JSON stores tuples as lists
            if made.get(name) != value:
                raise UserError(f"{actions.path}: was planned with {name} {made.get(name)}, not {value}; give another "
                                f"--action_id, or delete the file to plan anew")


def report(options, phase, actions):
    """Print the mean distances beside the notebook's distances."""
    kind, of = ("notebook_l1_masks", "GIER") if options.masks else ("notebook_l1", "FiveKReq train")
    summary, known = actions.summary(), read_sets().get(options.action_id, {}).get(kind)
    if not summary["pairs"]:
        print(f"{actions.path}: no pairs")
        return
    steps = sum(len(row["plan"]["steps"]) for row in actions.rows.values()) / summary["pairs"]
    line = (f"set {options.action_id}, {options.dataset} {phase}, {summary['pairs']} pairs: "
            f"init dist {summary['l1_input']:.4f} dist {summary['l1_output']:.4f}, {steps:.2f} steps a plan")
    print(line + (f"  (the notebook, {of}: {known[0]:.4f} -> {known[1]:.4f})" if known else ""))
    print(f"plans: {actions.path}")


def write_page(dataset, actions, folder):
    """Write a page with the steps of evenly spaced plans."""
    plans = actions.plans()
    names = [index for index in range(len(dataset)) if pair_name(dataset.annotations[index]) in plans]
    chosen = names[::max(len(names) // PAGE, 1)][:PAGE]

    def results():
        for index in chosen:
            sample = dataset[index]
            plan = plans[sample["name"]]
            row = actions.rows[sample["name"]]
            yield as_result(sample["name"], sample["request"], Edited(sample["input"], plan), sample["target"],
                            {"input L1": row["distances"][0], "output L1": row["distances"][-1]})

    write_results(folder, f"planned: {actions.path.stem}", results())
    print(f"page: {folder / 'index.html'}")


def arguments():
    parser = Parser(__doc__).add_data()
    group = parser.add_argument_group("planning")
    group.add_argument("--phase", type=some_of(PHASES, "phase"), default=["train"], help="train, val or test, or "
                       "several with commas (default: train)")
    group.add_argument("--action_id", type=number(int, 1), default=1, help="number of the set")
    group.add_argument("--operators", help="operators of your own set, in order, such as brightness,hue")
    group.add_argument("--masks", **OFF, help="limit steps to masks of the pairs where that is better; "
                       "adds inpaint_obj and color_bg to set 1")
    group.add_argument("--fixed_order", action="store_true", help="use the operators in the order given")
    group.add_argument("--epsilon", type=number(float, 0, 1), help="probability of a random operator at each "
                       "step; by default the set's value")
    group.add_argument("--beam", type=number(int, 1), help="plans kept at each step; by default 3")
    group.add_argument("--max_steps", type=number(int, 1), help="longest plan; by default 6")
    group.add_argument("--tolerance", type=number(float, 0), help="L1 below which a search stops; by default 0.01")
    group.add_argument("--optimizer", choices=OPTIMIZERS, help="method that finds the parameters: fit (uses the "
                       "operator's structure) or a SciPy minimiser for comparison; by default the set's method, or "
                       "else fit")
    group.add_argument("--seed", type=int, help="seed of --epsilon; by default 0")
    group.add_argument("--limit", type=number(int, 1), help="plan only this many pairs, the first ones")
    group.add_argument("--visualize", **ON, help="write a page of some of the plans")
    group.add_argument("--import_from", metavar="FOLDER", help="import plans in the published layout "
                       "from FOLDER, do not search")
    group = parser.add_argument_group("machine")
    group.add_argument("--num_workers", "--workers", type=number(int, 0), help="number of processes that plan batches "
                       "in parallel; 0 plans in this process. By default one per core; with --ray one per GPU of the "
                       "cluster, or one per CPU if it has no GPU")
    group.add_argument("--ray", nargs="?", const=LOCAL, metavar="ADDRESS", help="plan on the Ray cluster at this "
                       "address (HOST:PORT, or auto for the cluster that this machine belongs to); without an "
                       "address a cluster is started on this machine. Needs pip install -r requirements-scale.txt")
    return parser


if __name__ == "__main__":
    run(main)
