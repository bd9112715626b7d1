"""How often the linguistic planners are right, over questions whose hops are known.

    python benchmarks/planning.py ../shared/data/train

Right means, of 2WikiMultihopQA: the first multi-step plan asks exactly the gold hops (relation and
subject, where a subject is a name of the question or the answer of an earlier hop), and its
operator, where the gold answer needs one, computes the gold answer from the gold objects.

Of HotpotQA's questions in Break, every tenth, which no training sees: the plan walked first has as
many lookups as the gold plan, each shares its words of meaning (F1 0.7) and refers to the same
steps; a question of two things gets an operator of the right family over lookups of both (F1 0.5);
one that Break leaves whole, or gives several conditions on one thing, is left whole.

No model and no retriever takes part. For StrategyQA only coverage is printed: how many get a valid
plan of two or more steps; most of its plans need facts that the question does not tell.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, utils

from graph.operators import apply
from graph.planning import by_language, whole
from graph.planning.check import check, rank
from graph.planning.substitute import references
from graph.types import Operator, Plan, SubQuestion
from training.planner.qdmr import content, kind_of, overlap, steps_of

# Gold relations that one wording covers, and what in a sub-question says that it asks for them.
_SAME_RELATION = {
    "country of citizenship": "country",
    "country of origin": "country",
    "founded by": "founder",
    "inception": "founding date",
}
_SAID = (
    (
        "place of birth",
        r"\bborn in which|where (?:was|is|were)\b.*\bborn|place of birth|birthplace",
    ),
    ("place of death", r"where did\b.*\bdie|place of death|where\b.*\bburied"),
    ("cause of death", r"cause of\b.*\bdeath|why did\b.*\bdie|how did\b.*\bdie"),
    ("date of birth", r"when\b.*\bborn|date of birth|birthday|how old"),
    ("date of death", r"when did\b.*\bdie|date of death"),
    ("founding date", r"when\b.*\b(?:founded|established|formed|started|created)"),
    ("publication date", r"when\b.*\b(?:released|published|come out|came out)|publication date"),
    ("country", r"countr(?:y|ies)|nationality|nation\b|citizenship"),
    ("founder", r"found(?:er|ed)"),
    ("award received", r"award|prize"),
    ("educated at", r"stud(?:y|ied)|educat|graduate|alma mater|university|college"),
    ("employer", r"\bwork(?:s|ed)?\b|employ"),
    ("father", r"\bfather\b(?!-)"),
    ("mother", r"\bmother\b(?!-)"),
    ("spouse", r"\b(?:spouse|husband|wife|married)\b"),
    ("child", r"\b(?:child|son|daughter|children)\b(?!-)"),
    ("sibling", r"\b(?:sibling|brother|sister)\b(?!-)"),
    ("director", r"\bdirect(?:or|ed)\b"),
    ("performer", r"\b(?:perform(?:er|ed)|singer|sang|sung)\b"),
    ("composer", r"\bcompos(?:er|ed)\b"),
    ("publisher", r"\bpublish"),
)
Hop = tuple[str, "str | Hop"]


def gold_hops(row: dict[str, Any]) -> list[Hop]:
    """Return the hops of a row's evidences; a subject that answers another hop is that hop."""
    hops: list[Hop] = []
    objects: list[str] = []
    for subject, relation, answer in row["evidences"]:
        named = _SAME_RELATION.get(relation, relation)
        before = next(
            (n for n, o in enumerate(objects) if fuzz.token_set_ratio(o, subject) >= 80), None
        )
        # Bridges of a comparison come first, so its last hops are always on their answers.
        if before is None and row["type"] in {"compositional", "inference"} and hops:
            before = len(hops) - 1
        hops.append((named, subject if before is None else hops[before]))
        objects.append(answer)
    return hops


def planned_hops(steps: tuple[SubQuestion, ...]) -> dict[int, Hop]:
    """Return what each lookup asks, by step number, so far as its words say."""
    hops: dict[int, Hop] = {}
    for number, step in enumerate(steps, 1):
        if step.kind == "operator":
            continue
        used = [hops[n] for n in references(step.text) if n in hops]
        plain = re.sub(r"(?<=\s)[A-Z][\w'’]*|\([^)]*\)", "", step.text)
        relation = next((r for r, words in _SAID if re.search(words, plain, re.I)), "?")
        hops[number] = (relation, used[0] if used else step.text)
    return hops


def _names(text: str, subject: str, question: str) -> bool:
    """Tell whether a sub-question names this subject whole, and no other name of the question."""
    words = set(utils.default_process(text).split())
    named = re.sub(r"\([^)]*\)", "", question)
    others = re.findall(r"\b[A-Z0-9][\w'’.-]*", named)[1:]
    inside = utils.default_process(subject)
    said = set(inside.split())
    mine = {w for o in others for w in utils.default_process(o).split() if w in said}
    strange = {w for w in words if w not in said and any(w == o.lower() for o in others)}
    if fuzz.token_set_ratio(inside, question, processor=utils.default_process) < 75:
        # The gold subject goes by another name than in the question: all names must be there.
        return all(set(utils.default_process(o).split()) <= words for o in others)
    return mine <= words and len(strange) <= max(2, len(said) // 2)


def asks(planned: Hop, gold: Hop, question: str) -> bool:
    """Tell whether a planned hop is the gold one."""
    if planned[0] != gold[0] or isinstance(planned[1], str) != isinstance(gold[1], str):
        return False
    if isinstance(planned[1], str) and isinstance(gold[1], str):
        return _names(planned[1], gold[1], question)
    assert not isinstance(planned[1], str)
    assert not isinstance(gold[1], str)
    return asks(planned[1], gold[1], question)


def right(row: dict[str, Any], plan: Plan) -> tuple[bool, bool]:
    """Return whether the plan's hops are the gold ones, and whether its last step decides right."""
    gold, planned = gold_hops(row), planned_hops(plan.steps)
    if len(gold) != len(planned):
        return False, False
    free = dict(enumerate(gold))
    answers: dict[int, str] = {}
    for number, hop in planned.items():
        match = next((n for n, g in free.items() if asks(hop, g, row["question"])), None)
        if match is None:
            return False, False
        del free[match]
        answers[number] = row["evidences"][match][2]
    last = plan.steps[-1]
    if last.kind == "lookup":
        return True, row["type"] in {"compositional", "inference"}
    result = apply(last, answers)
    decided = result.answer is not None and fuzz.ratio(result.answer.lower(), row["answer"].lower())
    return True, bool(decided and decided >= 90)


_ORDERS = {Operator.EARLIER, Operator.LATER, Operator.LARGER, Operator.SMALLER}
_FAMILIES = {
    "choice": _ORDERS,
    "agreement": _ORDERS | {Operator.SAME, Operator.DIFFERENT, Operator.BOTH, Operator.EITHER},
    "common": {Operator.INTERSECTION},
}
HELD_OUT = 10
"""Every how-manieth question of Break's HotpotQA is held out, as in training/planner."""


def agrees(row: dict[str, Any], kind: str, plan: Plan) -> bool:
    """Tell whether a plan takes a question of Break apart as its gold plan does."""
    gold = [_words(step) for step in steps_of(row)]
    if kind in {"single", "filter"}:
        return len(plan.steps) == 1
    last = plan.steps[-1]
    if kind in {"bridge", "count"}:
        if last.kind == "operator" or len(plan.steps) != len(gold):
            return False
        named = [set(references(step)) for step in steps_of(row)]
        return all(
            (not words or overlap(_words(step.text), words) >= 0.7)
            and set(references(step.text)) == numbers
            for step, words, numbers in zip(plan.steps, gold, named, strict=True)
        )
    if last.operator not in _FAMILIES.get(kind, set()):
        return False
    label = last.labels[0] if len(last.labels) == 1 else ""
    asked = [_words(f"{step.text} {label}") for step in plan.steps[:-1]]
    return all(any(overlap(words, said) >= 0.5 for said in asked) for words in gold[:2])


def _words(text: str) -> Counter[str]:
    return content(re.sub(r"#\d+", "", text))


def break_kind(row: dict[str, Any]) -> str:
    """Return the kind of a row's plan; one of a single step once names are folded is single."""
    kind = kind_of(row["operators"])
    return "single" if kind in {"bridge", "count"} and len(steps_of(row)) == 1 else kind


def measure_break(rows: list[dict[str, Any]], show: bool) -> None:
    """Print how many plans are valid, split the question, and are right, by kind."""
    total: Counter[str] = Counter()
    good: Counter[tuple[str, str]] = Counter()
    for row in rows:
        question, kind = " ".join(row["question"].split()), break_kind(row)
        if kind == "other":
            continue
        proposed = by_language(question)
        first = max([*rank(question, proposed), whole(question)], key=lambda plan: plan.score)
        total[kind] += 1
        good[kind, "proposed"] += len(proposed)
        good[kind, "valid"] += sum(not check(question, plan) for plan in proposed)
        good[kind, "split"] += len(first.steps) > 1
        good[kind, "right"] += agrees(row, kind, first)
        if show and not agrees(row, kind, first):
            print(f"\n{kind}: {question}\n   gold {steps_of(row)}")
            for number, step in enumerate(first.steps, 1):
                print(f"   #{number} {step.operator or ''} {step.text} {step.labels or ''}")
    print(f"\n{'Break, HotpotQA':20}{'n':>6}{'split':>9}{'right':>8}{'plans valid':>13}")
    for kind in [*sorted(total), "all"]:
        count = total[kind] if kind != "all" else total.total()
        sums = [
            sum(v for (k, m), v in good.items() if m == measure and kind in {k, "all"})
            for measure in ("split", "right", "valid", "proposed")
        ]
        print(f"{kind:20}{count:6}{sums[0]:9}{sums[1]:8}{sums[2]:7} of {sums[3]}")


def read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def is_training_folder(train: Path) -> bool:
    """Tell whether there is such a folder; say what to name where there is none."""
    if not train.is_dir():
        print(f"{train} is not a folder: name the one with the .jsonl files.", file=sys.stderr)
    return train.is_dir()


def main() -> int:
    """Print accuracy over gold hops and coverage over the other training questions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("train", type=Path, help="folder with the training sets")
    parser.add_argument("--wrong", action="store_true", help="print the plans that are not right")
    options = parser.parse_args()
    if not is_training_folder(options.train):
        return 2

    total: Counter[str] = Counter()
    good: Counter[tuple[str, str]] = Counter()
    seconds: list[float] = []
    for row in read(options.train / "hops-2wikimultihopqa.jsonl"):
        begin = time.perf_counter()
        plans = rank(row["question"], by_language(row["question"]))
        seconds.append(time.perf_counter() - begin)
        verdicts = [right(row, plan) for plan in plans]
        total[row["type"]] += 1
        good[row["type"], "planned"] += any(len(p.steps) > 1 for p in plans)
        good[row["type"], "hops"] += bool(verdicts and verdicts[0][0])
        good[row["type"], "right"] += bool(verdicts and all(verdicts[0]))
        good[row["type"], "any"] += any(all(v) for v in verdicts)
        if options.wrong and not (verdicts and all(verdicts[0])):
            print(f"\n{row['type']}: {row['question']}\n   gold {row['evidences']} {row['answer']}")
            for plan in plans[:1]:
                for number, step in enumerate(plan.steps, 1):
                    print(f"   #{number} {step.operator or ''} {step.text} {step.labels or ''}")
    print(f"{'type':20}{'n':>6}{'planned':>9}{'hops':>8}{'right':>8}{'any plan':>10}")
    for kind in [*sorted(total), "all"]:
        count = total[kind] if kind != "all" else total.total()
        shares = [
            100
            * sum(v for (k, m), v in good.items() if m == measure and kind in {k, "all"})
            / count
            for measure in ("planned", "hops", "right", "any")
        ]
        print(
            f"{kind:20}{count:6}{shares[0]:9.1f}{shares[1]:8.1f}{shares[2]:8.1f}{shares[3]:10.1f}"
        )
    seconds.sort()
    print(
        f"milliseconds a question: median {1000 * seconds[len(seconds) // 2]:.1f}, "
        f"p95 {1000 * seconds[int(0.95 * len(seconds))]:.1f}"
    )
    rows = [
        row for row in read(options.train / "plans-break.jsonl") if row["id"].startswith("HOTPOT")
    ]
    measure_break(rows[::HELD_OUT], options.wrong)
    strategy = list(read(options.train / "plans-strategyqa.jsonl"))[::HELD_OUT]
    covered = sum(
        any(len(p.steps) > 1 for p in rank(r["question"], by_language(r["question"])))
        for r in strategy
    )
    print(f"\nStrategyQA: {covered} of {len(strategy)} questions get a valid plan of more steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
