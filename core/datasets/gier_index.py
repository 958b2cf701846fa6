"""GIER by pair, request, operator, and operator x request, and the notebook's file of requests, IER_rl_<session>.json.

Ids are positions: a request that two pairs share has two ids. The sample of grounding is an operator x request: one
request of a pair with one of the pair's local operators.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.datasets.annotations import FIELDS, pair_name
from core.datasets.gier import MASK_MODES, GIERPairs, operator_problem
from core.datasets.vocab import MAX_WORDS, WordVocab, tokenize
from core.files import UserError, read_json
from core.operators import UNK, OperatorVocab

MAX_OPERATORS = 10          # fields of `is_local` and `operator_idx` in IER_rl_<session>.json


@dataclass(frozen=True)
class GIERIndex:
    """The four indices of a list of pairs; each row of an index holds the positions that it is made of.

    `requests` holds (pair, number of the request in the pair); `operators` (pair, name); `op_reqs` (operator, request),
    positions in `operators` and `requests`, of local operators that have masks.
    """

    pairs: Sequence[dict]
    requests: tuple[tuple[int, int], ...]
    operators: tuple[tuple[int, str], ...]
    op_reqs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, pairs: Sequence[dict], names: Sequence[str] | None = None) -> "GIERIndex":
        """Index pairs; `op_reqs` have operators of `names` only (None: all). Raises UserError as `operator_problem`."""
        requests, operators, op_reqs = [], [], []
        for number, pair in enumerate(pairs):
            if problem := operator_problem(pair):
                raise UserError(f"entry {number}, {pair_name(pair)}: {problem}")
            own = range(len(requests), len(requests) + len(GIERPairs.requests(pair)))
            requests += [(number, place) for place in range(len(own))]
            for name, about in pair.get("operator", {}).items():
                if about["local"] and about["ids"] and (names is None or name in names):
                    op_reqs += [(len(operators), request) for request in own]
                operators.append((number, name))
        return cls(pairs, tuple(requests), tuple(operators), tuple(op_reqs))

    def request(self, position: int) -> str:
        """Return the words of a request."""
        pair, number = self.requests[position]
        return GIERPairs.requests(self.pairs[pair])[number]

    def sample(self, position: int) -> dict:
        """Return the sample of an operator x request: {input, output, request, operator, ids, mask_mode}."""
        operator, request = self.op_reqs[position]
        pair, name = self.operators[operator]
        about = self.pairs[pair]["operator"][name]
        return {"input": self.pairs[pair]["input"], "output": self.pairs[pair]["output"],
                "request": self.request(request), "operator": name, "ids": about["ids"],
                "mask_mode": about.get("mask_mode", MASK_MODES[0])}

    def of_pair(self, pair: int) -> dict[str, list[int]]:
        """Return the positions of a pair's requests, operators and operators x requests."""
        operators = [at for at, (owner, _) in enumerate(self.operators) if owner == pair]
        return {"requests": [at for at, (owner, _) in enumerate(self.requests) if owner == pair],
                "operators": operators, "op_reqs": [at for at, (one, _) in enumerate(self.op_reqs) if one in operators]}


def counts(pairs: Sequence[dict], names: Sequence[str]) -> dict[str, int]:
    """Return the numbers that tell a set of local edits apart, by their description; `names` are the labels."""
    index, everything = GIERIndex.of(pairs, names), [pair.get("operator", {}) for pair in pairs]
    uses = [(name, about) for table in everything for name, about in table.items()]
    local = [(name, about) for name, about in uses if about["local"]]
    masked = [about["ids"] for _, about in local if about["ids"]]
    several = [[frozenset(about["ids"]) for about in table.values() if about["local"]] for table in everything]
    several = [ids for ids in several if len(ids) > 1]
    with_local = [number for number, table in enumerate(everything) if any(a["local"] for a in table.values())]
    removals = {name: sum(own == name for own, _ in local) for name in ("inpaint_obj", "color_bg")}
    tones = ("brightness", "hue", "saturation", "contrast", "lightness", "tint", "sharpness")
    return {
        "pairs": len(pairs), "requests": len(index.requests),
        "pairs with a local operator": len(with_local),
        "their requests": sum(len(GIERPairs.requests(pairs[number])) for number in with_local),
        "pairs with local and global operators": sum(
            any(not about["local"] for about in everything[number].values()) for number in with_local),
        **{f"local {name}": count for name, count in removals.items()},
        **{f"all {name}": sum(own == name for own, _ in uses) for name in removals},
        **{f"local {name}": sum(own == name for own, _ in local) for name in tones},
        "local operators without a mask": len(local) - len(masked),
        "local operators with one mask": sum(len(ids) == 1 for ids in masked),
        "local operators with several masks": sum(len(ids) > 1 for ids in masked),
        "largest id of a mask": max((max(ids) for ids in masked), default=0),
        "pairs with several local operators": len(several),
        "of these, all with the same masks": sum(len(set(ids)) == 1 for ids in several),
        "operators x requests, of the vocabulary and with masks": len(index.op_reqs),
        "pairs with no operator of the vocabulary": sum(not table.keys() & set(names) for table in everything)}


def to_rl(pairs: Sequence[dict], words: WordVocab, operators: OperatorVocab) -> tuple[list[dict], list[str]]:
    """Return the rows of IER_rl_<session>.json, one for each request, and sentences on what does not fit into them.

    A row has `is_local` and `operator_idx`, 10 numbers padded with 0, `request_idx`, 15 ids of words padded with 0, and
    `mask_id` {id of an operator as text: ids of its masks}. Operators that the vocabulary lacks are left out.
    """
    rows, missing, modes, cut = [], {}, 0, 0
    for pair in pairs:
        table = pair.get("operator", {})
        for name in table.keys() - operators.ids.keys():
            missing[name] = missing.get(name, 0) + 1
        modes += sum(about.get("mask_mode") == MASK_MODES[1] for about in table.values())
        known = [(operators.ids[name], about) for name, about in table.items() if name in operators.ids][:MAX_OPERATORS]
        for request in GIERPairs.requests(pair):
            cut += words.too_long(request)
            rows.append({
                "input": pair["input"], "output": pair["output"],
                "is_local": _padded([int(about["local"]) for _, about in known], MAX_OPERATORS),
                "request_idx": _padded([words.ids.get(word, words.ids[UNK]) for word in tokenize(request)], MAX_WORDS),
                "request": request, "operator_idx": _padded([number for number, _ in known], MAX_OPERATORS),
                "mask_id": {str(number): about["ids"] for number, about in known if about["local"]}})
    notes = [f"{count} pairs use {name}, which the vocabulary lacks; it is left out"
             for name, count in sorted(missing.items(), key=lambda item: -item[1])]
    if modes:
        notes.append(f"{modes} operators edit everything but their masks; this file cannot say so")
    if cut:
        notes.append(f"{cut} requests are longer than {MAX_WORDS} words and are cut")
    return rows, notes


def read_rl(path: str | Path, operators: OperatorVocab) -> list[dict]:
    """Return the rows of IER_rl_<session>.json as entries in GIER's format, one for each request, with `request_idx`.

    Raises UserError naming row and field.
    """
    rows, found = read_json(path), []
    if not isinstance(rows, list):
        raise UserError(f"{path}: not a list of requests; write it by data/GIER/GIER.py")
    for number, row in enumerate(rows):
        try:
            used = [index for index in row["operator_idx"] if index]
            local = row["is_local"][:len(used)]
            names = [operators.names[index] for index in used]
            masks = {operators.names[int(index)]: ids for index, ids in row["mask_id"].items()}
            entry = {field: row[field] for field in FIELDS} | {
                "request_idx": [int(index) for index in row["request_idx"]],
                "operator": {name: {"local": bool(one), "ids": masks.get(name, [])}
                             for name, one in zip(names, local, strict=True)}}
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise UserError(f"{path}, row {number}: a field is missing or malformed ({type(error).__name__}: {error}); "
                            f"write the file by data/GIER/GIER.py") from None
        if problem := operator_problem(entry):
            raise UserError(f"{path}, row {number}: {problem}; write the file by data/GIER/GIER.py")
        found.append(entry)
    return found


def _padded(values, length):
    return values[:length] + [0] * (length - len(values))
