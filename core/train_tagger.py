"""Train the tagger, the learned reader of requests, on the corpus in data/requests and on sentences of the grammar.

MiniLM stays fixed; its low-rank adapters and the head are trained. Writes to the folder --output: best.pt (the
tagger with the best F1 on the dev split; its weights are an average over the last iterations), last.pt (the state from
which an interrupted training resumes), and validation.jsonl (the figures of each validation).

  python core/train_tagger.py
  python core/train_tagger.py --output output/tagger_head --rank 0 --num_iters 300     # the head alone, in a minute
  python core/train_tagger.py --start data/requests/tagger.pt --rank 10 --new 1500              # after new sentences
  cp output/tagger/best.pt data/requests/tagger.pt                                     # the reader uses it from now on
"""
from pathlib import Path

import _init_paths  # noqa: F401
import torch
from tqdm import tqdm

from core.engine.batches import SCHEDULES
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.engine.publish import portable
from core.files import FOREIGN, UserError, append_jsonl, read_tensors, replacing
from core.models.gan.ema import EMA
from core.models.tagger import TaggerNetwork, Tags, read_tagger
from core.requests.corpus import FOLDER, read_corpus
from core.training.tagger import DRAWN, Lessons, losses, validate

# Options that the tagger's file names.
RECIPE = ("start", "rank", "batch_size", "num_iters", "learning_rate", "drawn", "new", "manual_seed")
WARM_UP = 0.05            # share of the iterations in which the learning rate rises
WEIGHTS = {"signs": 1.0, "degrees": 0.5, "places": 0.5}
DROPOUT, DECAY, CLIP = 0.1, 0.01, 1.0
AVERAGED, KEPT = 10, 0.97   # every AVERAGED iterations, the average of the weights keeps the share KEPT
HEAD_RATE = 4             # learning rate of the head per rate of the adapters: the head starts at random


def main():
    options = parse(arguments())
    torch.manual_seed(options.manual_seed)
    train, dev = (read_corpus(split, Path(options.corpus)) for split in ("train", "dev"))
    train += train[len(train) - options.new:]
    network = TaggerNetwork(rank=options.rank, dropout=DROPOUT).train()
    if options.start:
        network.grow_from(*read_tagger(Path(options.start)))
    lessons = Lessons(train, network.config["attributes"], options.batch_size, options.manual_seed, options.drawn)
    adapters = list(network.encoder.parameters())
    head = [parameter for name, parameter in network.named_parameters() if not name.startswith("encoder.")]
    optimizer = torch.optim.AdamW([{"params": head, "lr": HEAD_RATE * options.learning_rate},
                                   *([{"params": adapters}] if adapters else [])],
                                  options.learning_rate, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step / options.num_iters))
    average = EMA(network, KEPT)
    state = {"network": network, "average": average.network, "optimizer": optimizer, "rate": rate}
    folder, best = Path(options.output), -1.0
    start, best = (0, -1.0) if options.restart else resume(folder / "last.pt", state, dict(options))
    print(f"{len(train)} sentences; {sum(map(torch.numel, network.parameters())):,} trained parameters; from iteration "
          f"{start} to {options.num_iters}")
    average.updates = start // AVERAGED
    sums, bar = {}, tqdm(range(start, options.num_iters), initial=start, total=options.num_iters, unit="batch")
    for step in bar:
        torch.manual_seed((options.manual_seed << 32) + step)   # so a resumed training equals an unbroken one
        batch = lessons[step]
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            tags = network(batch.ids)
        parts = losses(Tags(*(part.float() for part in tags)), batch)
        optimizer.zero_grad()
        sum(WEIGHTS[name] * part for name, part in parts.items()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        rate.step()
        if (step + 1) % AVERAGED == 0:
            average.update(network)
        sums = {name: 0.98 * sums.get(name, part.item()) + 0.02 * part.item() for name, part in parts.items()}
        bar.set_postfix({name: f"{value:.3f}" for name, value in sums.items()}, refresh=False)
        if (step + 1) % options.checkpoint_every == 0 or step + 1 == options.num_iters:
            found = validate(average.network, dev)
            append_jsonl(folder / "validation.jsonl", [{"iteration": step + 1, **sums, **found}])
            bar.write(f"{step + 1}: F1 {found['F1'] or 0:.4f}, whole {found['whole']:.4f}, degree "
                      f"{found['degree'] or 0:.4f}, place {found['place'] or 0:.4f}")
            if (found["F1"] or 0) > best:
                best = found["F1"] or 0
                average.network.save(folder / "best.pt", F1=best, iteration=step + 1,
                             recipe=portable({name: options[name] for name in RECIPE}))
            with replacing(folder / "last.pt") as file:
                torch.save({"iteration": step + 1, "best": best, "options": dict(options),
                            **{name: part.state_dict() for name, part in state.items()}}, file)
    print(f"best F1 on the dev split: {best:.4f}; tagger: {folder / 'best.pt'}")


def rate_at(done):
    """Return the factor of the learning rate: it rises over WARM_UP, then falls to 0 as a cosine."""
    return min(1.0, (done + 1e-3) / WARM_UP) * SCHEDULES["cosine"](done)


def resume(path, state, options):
    """Restore `state` from a file if there is one; return (iterations done, best F1 so far)."""
    if not path.exists():
        return 0, -1.0
    try:
        saved = read_tensors(path)
        changed = {name for name, value in options.items() if name != "restart" and saved["options"][name] != value}
        if changed:
            raise UserError(f"{path}: was trained with another --{min(changed)}; give another --output, or --restart")
        for name, part in state.items():
            part.load_state_dict(saved[name])
        return saved["iteration"], saved["best"]
    except FOREIGN as error:
        raise UserError(f"{path}: is no state of this training, or is damaged; give --restart to start anew") from error


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--corpus", default=str(FOLDER), help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--output", default="output/tagger", help="folder of the training")
    parser.add_argument("--rank", type=number(int, 0, 64), default=8, help="rank of the adapters; 0 trains the head "
                        "alone")
    parser.add_argument("--start", metavar="TAGGER", help="a tagger from which the training starts; its rank is "
                        "at most that of the new one (default: start from random weights)")
    parser.add_argument("--new", type=number(int, 0), default=0, metavar="N", help="the last N sentences of the "
                        "corpus count twice: --start has not seen them")
    parser.add_argument("--drawn", type=number(float, 0, 1), default=DRAWN, help="share of the sentences that the "
                        "grammar makes")
    parser.add_argument("--bf16", action="store_true", help="encode in bfloat16: less time on processors that have it")
    parser.add_argument("--batch_size", type=number(int, 1), default=32, help="sentences per iteration")
    parser.add_argument("--num_iters", type=number(int, 1), default=2000, help="total number of iterations")
    parser.add_argument("--learning_rate", type=number(float, 0), default=1e-3, help="highest learning rate of the "
                        "adapters")
    parser.add_argument("--manual_seed", type=number(int, 0, 2**31 - 1), default=0, help="random seed")
    parser.add_argument("--checkpoint_every", type=number(int, 1), default=250, help="iterations between validations; "
                        "an interrupted training resumes from the last validation")
    parser.add_argument("--restart", action="store_true", help="start anew instead of resuming")
    return parser


if __name__ == "__main__":
    run(main)
