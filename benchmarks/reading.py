"""Where the answer was lost in the questions that were read wrongly, or answered too unsurely.

    python -m benchmarks.reading ../shared/data eval

Reads the rows and the traces of an evaluation, as `benchmarks/causes.py` does, and runs nothing.
Of the questions whose cause there is *reading* or *abstained*, each is lost at the first of these:

- *form*: what was answered is the gold answer in other words, a part of it, or it and more;
- *earlier step*: an answer on the way to it (of the gold evidences or decomposition, where the set
  has them) was no step's verdict; *read* where it was among the spans;
- *never asked*: no step asked about the last answer on the way to it;
- *refused*: it was read, and is not of the kind that the step expects (`fitting`);
- *outvoted*: it was read, as the best span of a passage or as another;
- *not stated*: no supporting passage that was found has it in the words of the gold answer;
- *cut*: of the supporting passage, only spans were read that have too little of it or too much;
- *not read*: it was not among the spans of its passage.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from agent.evaluation.rows import EvalRow
from agent.metrics import f1
from agent.traces import read_trace
from benchmarks.causes import FAILED, cause
from graph.events import (
    CandidatesRead,
    Event,
    PathOpened,
    Planned,
    Retrieved,
    RunStarted,
    Voted,
)
from graph.normalise import canonical, similarity
from graph.support.building import fitting
from graph.types import Candidate, Plan, SubQuestion

ALIKE = 0.6
LOST = (
    "form",
    "earlier step, read",
    "earlier step, not read",
    "never asked",
    "refused",
    "outvoted, best of a passage",
    "outvoted, not best",
    "not stated",
    "cut",
    "not read",
)


def lost(row: EvalRow, events: Sequence[Event], before: Sequence[str]) -> str:
    """Return where the answer of a failed question was lost, one of `LOST`.

    `before` are the gold answers on the way to it, in order.
    """
    gold = (row.answer, *row.aliases)
    if row.prediction and any(_alike(row.prediction, text) for text in gold):
        return "form"
    judged = list(_judged(events))
    read = [event for event, _ in judged]
    verdicts = [
        e.result.verdict.answer for e in events if isinstance(e, Voted) and e.result.verdict
    ]
    for answer in before:
        form = canonical(answer)
        if not any(f1(said, [answer]) >= FAILED or form in canonical(said) for said in verdicts):
            known = any(f1(c.text, [answer]) >= FAILED for e in read for c in e.candidates)
            return "earlier step, read" if known else "earlier step, not read"
    if before:
        words = [word for word in canonical(before[-1]).split() if len(word) > 3]
        asked = [canonical(event.question) for event in read]
        if words and not any(word in question for word in words for question in asked):
            return "never asked"
    possible = [(e, c) for e, fit in judged for c in fit if f1(c.text, gold) >= FAILED]
    if possible:
        best = any(c is _best(e.candidates, c.passage_id) for e, c in possible)
        return "outvoted, best of a passage" if best else "outvoted, not best"
    if any(f1(c.text, gold) >= FAILED for e in read for c in e.candidates):
        return "refused"
    passages = {
        hit.passage.id: canonical(hit.passage.text)
        for event in events
        if isinstance(event, Retrieved)
        for hits in event.hits
        for hit in hits
    }
    right = set(row.supporting_passages) & passages.keys()
    if not any(canonical(text) in passages[id_] for id_ in right for text in gold):
        return "not stated"
    spans = [c.text for e in read for c in e.candidates if c.passage_id in right]
    return "cut" if any(f1(text, gold) > 0 for text in spans) else "not read"


def _judged(events: Iterable[Event]) -> Iterator[tuple[CandidatesRead, list[Candidate]]]:
    """Yield what was read for each step, and of it what the support graph took."""
    plans: Sequence[Plan] = ()
    steps: Sequence[SubQuestion] = ()
    for event in events:
        match event:
            case Planned():
                plans = event.plans
            case PathOpened():
                steps = plans[event.path.plan].steps
            case CandidatesRead():
                expects = steps[event.step - 1].expects
                yield event, fitting(event.candidates, event.question, expects)
            case _:
                pass


def _alike(said: str, gold: str) -> bool:
    if similarity(said, gold) >= ALIKE:
        return True
    a, b = canonical(said), canonical(gold)
    return a in b or (len(b) > 1 and b in a and len(a) < len(b) + 40)


def _best(candidates: Iterable[Candidate], passage: str) -> Candidate:
    return max((c for c in candidates if c.passage_id == passage), key=lambda c: c.score)


def way(question: Mapping[str, object]) -> list[str]:
    """Return the gold answers on the way to the last one; none where the set has no such chain."""
    steps = question.get("decomposition") or []
    if isinstance(steps, list) and steps:
        return [str(step["answer"]) for step in steps[:-1]]
    triples = question.get("evidences") or []
    if isinstance(triples, list) and question.get("type") in ("compositional", "inference"):
        return [str(triple[2]) for triple in triples[:-1]]
    return []


def traces(folder: Path) -> Iterator[tuple[str, list[Event]]]:
    """Yield the question and the events of each run of an evaluation."""
    for file in sorted(folder.glob("*.jsonl")):
        events = read_trace(file)
        started = events[0] if events else None
        if isinstance(started, RunStarted):
            yield started.question, events


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with SET/questions.jsonl")
    parser.add_argument("out", type=Path, help="folder with SET/rows.jsonl and SET/traces")
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    for file in sorted(options.out.glob("*/rows.jsonl")):
        name = file.parent.name
        asked = (options.data / name / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        ways = {question["id"]: way(question) for question in map(json.loads, asked)}
        lines = file.read_text(encoding="utf-8").splitlines()
        found = [EvalRow.model_validate_json(line) for line in lines]
        rows = {row.id: row for row in found if row.system == "hoptree"}.values()
        runs = dict(traces(file.parent / "traces"))
        counts[name] = Counter(
            lost(row, runs[row.question.strip()], ways[row.id])
            for row in rows
            if row.f1 < FAILED
            and cause(row) in ("reading", "abstained")
            and row.question.strip() in runs
        )
    print(f"| lost | {' | '.join(counts)} |\n|---|{'---|' * len(counts)}")
    for kind in LOST:
        print(f"| {kind} | {' | '.join(str(count[kind]) for count in counts.values())} |")
    print(f"| all | {' | '.join(str(count.total()) for count in counts.values())} |")


if __name__ == "__main__":
    main()
