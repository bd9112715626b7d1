"""EM and character F1 (CMRC normalisation) of the Chinese reader and of two baselines."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.metrics import exact_match, f1
from agent.readers.features_zh import measured
from agent.readers.linear_reader import WEIGHTS, LinearReader
from agent.readers.question_zh import asked
from agent.readers.spans_zh import Tokens, tokenised
from retrievers.passage import Passage
from training.linear_reader.rows import Bm25, Row, Source, held_out, load, read

_FORMS = {
    "when": ("date", "number"),
    "who": ("name", "latin"),
    "where": ("name", "latin"),
    "number": ("counted", "number"),
}
_OTHERWISE = ("title", "quoted", "name", "latin", "date", "counted", "number")

Answerer = Callable[[str, Sequence[Source]], str]


def by_reader(reader: LinearReader) -> Answerer:
    """Answer with the candidate of the highest score × (1 - no_answer)."""

    def answer(question: str, sources: Sequence[Source]) -> str:
        passages = [Passage(id=s.id, title=s.title, text=s.text) for s in sources]
        found = reader.read(question, passages, per_passage=1)
        return max(found, key=lambda c: c.score * (1 - c.no_answer)).text if found else ""

    return answer


def best_sentence(question: str, sources: Sequence[Source]) -> str:
    """Answer with the whole sentence that shares most with the question."""
    return _sentence(question, sources)[0]


def typed_span(question: str, sources: Sequence[Source]) -> str:
    """Answer with that sentence's first span of a form that fits the question; else with all."""
    sentence, tokens, first, end = _sentence(question, sources)
    forms = _FORMS.get(asked(question).kind, _OTHERWISE)
    for form in forms:
        for (a, b), kinds in sorted(tokens.typed.items()):
            if form in kinds and first <= a and b < end:
                return tokens.text[tokens.starts[a] : tokens.ends[b]]
    return sentence


def _sentence(question: str, sources: Sequence[Source]) -> tuple[str, Tokens, int, int]:
    best: tuple[float, str, Tokens, int, int] | None = None
    for source in sources:
        tokens = tokenised(source.text)
        found = measured(asked(question), tokens, tokenised(source.title))
        if found is None:
            continue
        score = found.best_cover + found.pair_cover
        if best is None or score > best[0]:
            # The sentence that shares most is the one searched first.
            at = int(tokens.sentence[found.first[0]])
            first, end = tokens.sentences[at]
            text = source.text[tokens.starts[first] : tokens.ends[end - 1]]
            best = (score, text, tokens, first, end)
    if best is None:
        raise ValueError("none of the passages has a span")
    return best[1:]


def figures(answerer: Answerer, rows: Sequence[Row], *, similar: bool) -> dict[str, float]:
    """Return EM and F1 in percent, given the gold passage alone or among its similar ones."""
    exact = overlap = 0.0
    for row in rows:
        sources = [row.passage, *row.similar] if similar else [row.passage]
        # The gold passage stands first: order must not help, so it goes where its id falls.
        said = answerer(row.question, sorted(sources, key=lambda s: s.id))
        exact += exact_match(said, [row.answer])
        overlap += f1(said, [row.answer])
    n = max(len(rows), 1)
    return {"em": round(100 * exact / n, 1), "f1": round(100 * overlap / n, 1), "n": len(rows)}


def development(data: Path) -> list[Row]:
    """Return the cmrc2018 development questions as rows: to measure on, never to train on."""
    sources = [Source.model_validate(r) for r in read(data / "cmrc2018" / "corpus.jsonl")]
    by_id = {s.id: s for s in sources}
    index = Bm25([f"{s.title} {s.text}" for s in sources])
    rows = []
    for raw in read(data / "cmrc2018" / "questions.jsonl"):
        supporting = raw["supporting_passages"]
        assert isinstance(supporting, list)
        gold = by_id[supporting[0]]
        question = str(raw["question"])
        near = [sources[n] for n in index.best(question, 10)]
        rows.append(
            Row(
                id=str(raw["id"]),
                file="cmrc2018-development",
                question=question,
                answer=str(raw["answer"]),
                start=0,
                passage=gold,
                similar=tuple(s for s in near if s.id != gold.id)[:9],
            )
        )
    return rows


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--development", action="store_true", help="the cmrc2018 development set")
    arguments = parser.parse_args()
    if arguments.development:
        rows = development(arguments.data)
    else:
        rows = [row for row in load(arguments.data) if held_out(row)]
    reader = LinearReader(arguments.weights)
    answerers: dict[str, Answerer] = {
        "reader": by_reader(reader),
        "best sentence": best_sentence,
        "typed span": typed_span,
    }
    for name, answerer in answerers.items():
        begun = time.perf_counter()
        result: dict[str, object] = {"system": name}
        result["gold"] = figures(answerer, rows, similar=False)
        result["gold + 9 similar"] = figures(answerer, rows, similar=True)
        if name == "reader":
            for file in sorted({row.file for row in rows}):
                mine = [row for row in rows if row.file == file]
                result[f"gold, {file}"] = figures(answerer, mine, similar=False)
        result["seconds"] = round(time.perf_counter() - begun, 1)
        print(json.dumps(result, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
