"""Why hoptree failed on the questions of an evaluation, and how it did on each kind of them.

    python benchmarks/causes.py eval

Reads the rows that `hoptree eval` (or `benchmarks/evaluation.sh`) wrote into eval/SET/rows.jsonl,
and runs nothing. A question counts as failed below an F1 of 0.5, or where writing lost the answer.
Its cause is the first that holds:

- *retrieval*: a supporting passage was never found;
- *plan*: a question of several hops was walked as one lookup only;
- *abstained*: an answer was there, but not sure enough;
- *reading*: the answer was read by no step that was walked;
- *vote*: it was read, and something else won;
- *composing*: it won, and the answer written scores less, or the sentence does not hold it.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from agent.answer import Tree
from agent.evaluation.rows import EvalRow
from agent.metrics import exact_match, f1, recall_at
from graph.composing import says

FAILED = 0.5
CAUSES = ("retrieval", "plan", "abstained", "reading", "vote", "composing")


def read(tree: Tree) -> Iterator[str]:
    """Yield every answer that some step of the run held for possible."""
    for path in tree.paths:
        for step in path.steps:
            if step.result.verdict is not None:
                yield step.result.verdict.answer
                for cluster in step.result.verdict.clusters:
                    yield from (candidate.text for candidate in cluster.candidates)


def won(row: EvalRow, tree: Tree) -> str | None:
    """Return the answer that a run's paths ended in: the one answered, or else the surest.

    None where no path ended in any.
    """
    ended = [path for path in tree.paths if path.answer is not None]
    surest = max(
        ended, key=lambda path: (path.answer == row.prediction, path.confidence), default=None
    )
    return surest.answer if surest else None


def lost_in_writing(row: EvalRow, tree: Tree) -> bool:
    """Tell whether the right answer won and what was written scores less or does not hold it."""
    answer = won(row, tree)
    right = (row.answer, *row.aliases)
    if row.status != "answered" or answer is None or f1(answer, right) < FAILED:
        return False
    less = row.f1 < f1(answer, right) or row.em < exact_match(answer, right)
    return less or not says(str(row.extra["text"]), answer)


def cause(row: EvalRow) -> str | None:
    """Return why a question failed, or None where it did not."""
    tree = Tree.model_validate(row.extra["tree"])
    lost = lost_in_writing(row, tree)
    if row.f1 >= FAILED and not lost:
        return None
    if recall_at(len(row.passages), row.passages, row.supporting_passages) not in (None, 1):
        return "retrieval"
    if row.hops > 1 and all(len(plan.steps) == 1 for plan in tree.plans):
        return "plan"
    if row.status == "abstained":
        return "abstained"
    right = (row.answer, *row.aliases)
    if lost:
        return "composing"
    return "vote" if any(f1(text, right) >= FAILED for text in read(tree)) else "reading"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder with SET/rows.jsonl")
    options = parser.parse_args()
    causes: list[str] = []
    kinds: list[str] = []
    for file in sorted(options.out.glob("*/rows.jsonl")):
        lines = file.read_text(encoding="utf-8").splitlines()
        found = [EvalRow.model_validate_json(line) for line in lines]
        rows = list({row.id: row for row in found if row.system == "hoptree"}.values())
        failed = Counter(filter(None, map(cause, rows)))
        counts = " | ".join(str(failed[name]) for name in CAUSES)
        name = file.parent.name
        causes.append(f"| {name} | {len(rows)} | {failed.total()} | {counts} |")
        by_kind: dict[tuple[str, int], list[EvalRow]] = defaultdict(list)
        for row in rows:
            by_kind[row.type, row.hops].append(row)
        kinds += [
            f"| {name} | {kind} | {hops} | {len(these)} | {100 * fmean(r.f1 for r in these):.1f} |"
            for (kind, hops), these in sorted(by_kind.items())
        ]
    print(f"| set | questions | failed | {' | '.join(CAUSES)} |\n|---|{'---|' * (len(CAUSES) + 2)}")
    print("\n".join(causes))
    print("\n| set | type | hops | questions | F1 |\n|---|---|---|---|---|")
    print("\n".join(kinds))


if __name__ == "__main__":
    main()
