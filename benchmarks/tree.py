"""What each part of the search over the question tree earns.

    python -m benchmarks.tree ../shared/data out

Every question is asked with all ways on after a failure (`Limits.ways`) and with only some of them:
100 each of MuSiQue, HotpotQA, 2WikiMultihopQA and the training questions of 2WikiMultihopQA over
their own passages; and 2WikiMultihopQA once more over a corpus in which `LIES` independent passages
state a wrong answer to the first sub-question of each plan, one that nothing else in the corpus
speaks of. Those of 2WikiMultihopQA are also asked with their supporting passages hidden from the
search, so that they have no answer. The sets take turns, rows are appended to OUT/rows.jsonl as
they come, and a run that was stopped goes on where it was; `--table` only prints what is there.

Three tables: MuSiQue by the number of hops, with how many of the gold intermediate answers a step
of some path came to; the ablation; abstention precision and recall over thresholds of confidence.

What was read, searched and written for a question is kept in memory and taken again for its other
variants, so that the ablation costs little more than one run; tokens are counted as if it were not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr
from rich.console import Console

from agent.answer import Answer
from agent.api import Agent
from agent.evaluation import EvalQuestion, load_questions
from agent.indexes import open_index
from agent.indexing import index_files
from agent.llama import LlamaCppChat
from agent.metrics import exact_match, f1
from agent.planners import Adapter
from agent.readers import default_reader
from agent.settings import Settings
from graph.normalise import canonical, same_answer
from graph.planning import by_language
from graph.planning.check import rank
from graph.planning.substitute import needs
from graph.protocols import Reader
from graph.types import AnswerType, Candidate, Limits, Way
from retrievers.passage import Hit, Passage, Retriever
from training.calibration.examples import pools
from training.calibration.lookups import english
from training.calibration.planting import planted, wrong_answer
from training.reader.examples import read_rows

VARIANTS: Mapping[str, tuple[Way, ...]] = {
    "no backtracking": (),
    "alternative plans only": (Way.PLAN,),
    "runner-ups only": (Way.RUNNER_UP,),
    "rewordings only": (Way.REWORDING,),
    "all but runner-ups": (Way.PLAN, Way.REWORDING, Way.LEARNED),
    "all but rewordings": (Way.PLAN, Way.RUNNER_UP, Way.LEARNED),
    "all but learned plans": (Way.PLAN, Way.RUNNER_UP, Way.REWORDING),
    "all": tuple(Way),
}
PATIENT = Limits(max_seconds=3600)
"""A busy machine must not change what is found."""
PLANTED, TRAINING = "2wikimultihopqa, lies", "2wikimultihopqa, training"
SETS = ("musique", "hotpotqa", "2wikimultihopqa", PLANTED, TRAINING)
LIES = 3
THRESHOLDS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)


# ── parts that remember ───────────────────────────────────────────────────────────────────────


class RememberingModel(BaseChatModel):
    """Says again what a model said to the same prompt under the same grammar."""

    supports_grammar: ClassVar[bool] = True

    model: LlamaCppChat
    _said: dict[str, list[ChatGenerationChunk]] = PrivateAttr(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "remembering"

    @property
    def planner_adapter(self) -> Adapter | None:
        """The adapter that the model plans with: without it, other plans would be asked for."""
        return self.model.planner_adapter

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError("only streamed")

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        asked = {k: v for k, v in kwargs.items() if k != "timeout"}
        key = json.dumps([[m.text for m in messages], stop, asked], default=str)
        if key not in self._said:
            kwargs["timeout"] = PATIENT.max_seconds
            said = self.model._astream(messages, stop, run_manager, **kwargs)
            self._said[key] = [chunk async for chunk in said]
        for chunk in self._said[key]:
            yield chunk


@dataclass
class RememberingReader:
    """Reads again what it read for the same question from the same passages."""

    reader: Reader
    _read: dict[tuple[object, ...], list[Candidate]] = field(default_factory=dict)

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        key = (question, expects, per_passage, *(passage.id for passage in passages))
        if key not in self._read:
            self._read[key] = self.reader.read(question, passages, expects, per_passage)
        return self._read[key]


@dataclass
class Hiding:
    """A retriever that never finds the hidden passages, and remembers what it found."""

    retriever: Retriever
    hidden: frozenset[str] = frozenset()
    _found: dict[tuple[str, int], list[Hit]] = field(default_factory=dict)

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        most = k + len(self.hidden)
        fresh = [query for query in queries if (query, most) not in self._found]
        for query, hits in zip(fresh, await self.retriever.search(fresh, most), strict=True):
            self._found[query, most] = hits
        found = [self._found[query, most] for query in queries]
        return [[hit for hit in hits if hit.passage.id not in self.hidden][:k] for hits in found]

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        return await self.retriever.get([passage for passage in ids if passage not in self.hidden])

    async def count(self) -> int:
        return await self.retriever.count()

    async def aclose(self) -> None:
        return None


@dataclass
class Bench:
    """The parts that all questions share."""

    model: RememberingModel
    reader: RememberingReader
    out: Path
    console: Console

    def retriever(self, name: str, corpus: Path) -> Retriever:
        settings = Settings(index=str(self.out / name / "index"))
        index_files([corpus], settings, [], False, self.console)
        opened = open_index(settings.index, settings)
        assert opened is not None  # it was just made
        return opened

    async def ask(self, retriever: Retriever, question: str, limits: Limits) -> Answer:
        settings = Settings(traces=self.out / "traces")
        agent = Agent(retriever, self.model, reader=self.reader, settings=settings)
        return await agent.aask(question, limits=limits)


def row_of(question: EvalQuestion, answer: Answer) -> dict[str, Any]:
    """Return what is measured of one answer."""
    used = answer.usage
    return {
        "id": question.id,
        "hops": question.hops,
        "status": answer.status,
        "prediction": answer.answer,
        "confidence": answer.confidence,
        "em": exact_match(answer.answer, question.answers),
        "f1": f1(answer.answer, question.answers),
        "intermediate": intermediate_recall(question, answer),
        "paths": len(answer.tree.paths),
        "origin": answered_by(answer),
        "tokens": used.input_tokens + used.output_tokens,
        "retrievals": used.retrieval_calls,
    }


def intermediate_recall(question: EvalQuestion, answer: Answer) -> float | None:
    """Return the share of the gold answers before the last that a step of some path came to."""
    steps: list[dict[str, str]] = getattr(question, "decomposition", None) or []
    gold = [step["answer"] for step in steps[:-1]]
    if not gold:
        return None
    came_to = {a for path in answer.tree.paths for a in path.bound.values()}
    for path in answer.tree.paths:
        verdicts = (step.result.verdict for step in path.steps)
        came_to |= {verdict.answer for verdict in verdicts if verdict is not None}
    return mean(any(same_answer(wanted, found) for found in came_to) for wanted in gold)


def answered_by(answer: Answer) -> str:
    """Return what opened the path that the answer came from: a plan, a runner-up, …"""
    for path in answer.tree.paths:
        if path.answer is not None and path.answer == answer.answer:
            return path.way.value
    return "none"


# ── asking ────────────────────────────────────────────────────────────────────────────────────

HIDDEN, SHOWN = "hidden", "shown"
"""Variants of the abstention table: always answered, with and without the supporting passages."""


class Rows:
    """The rows of all variants, appended as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.all: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def has(self, name: str, variant: str, question: str) -> bool:
        return (name, variant, question) in {(r["set"], r["variant"], r["id"]) for r in self.all}

    def add(self, row: dict[str, Any]) -> None:
        self.all.append(row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def of(self, name: str, variant: str) -> list[dict[str, Any]]:
        return [row for row in self.all if (row["set"], row["variant"]) == (name, variant)]


async def asked(
    bench: Bench, rows: Rows, name: str, question: EvalQuestion, retriever: Retriever
) -> None:
    """Ask a question in all variants that it has no row of."""
    remembering = Hiding(retriever)
    hiding = Hiding(retriever, frozenset(question.supporting_passages))
    always = PATIENT.model_copy(update={"abstain": 0.0})
    variants: dict[str, tuple[Retriever, Limits]] = {
        variant: (remembering, PATIENT.model_copy(update={"ways": ways}))
        for variant, ways in VARIANTS.items()
    }
    if name == "2wikimultihopqa":
        variants |= {SHOWN: (remembering, always), HIDDEN: (hiding, always)}
    for variant, (found, limits) in variants.items():
        if not rows.has(name, variant, question.id):
            answer = await bench.ask(found, question.question, limits)
            rows.add({"set": name, "variant": variant, **row_of(question, answer)})


# ── the tables ────────────────────────────────────────────────────────────────────────────────


def percent(values: Iterable[float]) -> str:
    known = list(values)
    return f"{100 * mean(known):.1f}" if known else "–"


def hops(rows: Rows) -> None:
    print("MuSiQue     n    EM    F1  intermediate  paths  tokens  abstained")
    of_all = rows.of("musique", "all")
    for count in [*sorted({row["hops"] for row in of_all}), None]:
        of = [row for row in of_all if count in (None, row["hops"])]
        known = [row["intermediate"] for row in of if row["intermediate"] is not None]
        print(
            f"{f'{count} hops' if count else 'all':<8}{len(of):5}{percent(r['em'] for r in of):>6}"
            f"{percent(r['f1'] for r in of):>6}{percent(known):>14}"
            f"{mean(r['paths'] for r in of):7.2f}{mean(r['tokens'] for r in of):8.0f}"
            f"{sum(r['status'] == 'abstained' for r in of):11}"
        )


def ablation(rows: Rows, name: str) -> None:
    alone = {row["id"]: row["f1"] for row in rows.of(name, "no backtracking")}
    print(
        f"\n{name} ({len(alone)})".ljust(26), "   EM    F1  abstained  paths  tokens  better/worse"
    )
    for variant in VARIANTS:
        of = rows.of(name, variant)
        if not of:
            continue
        better = sum(row["f1"] > alone[row["id"]] for row in of)
        worse = sum(row["f1"] < alone[row["id"]] for row in of)
        print(
            f"{variant:<26}{percent(r['em'] for r in of):>6}{percent(r['f1'] for r in of):>6}"
            f"{sum(r['status'] == 'abstained' for r in of):11}"
            f"{mean(r['paths'] for r in of):7.2f}{mean(r['tokens'] for r in of):8.0f}"
            f"{better:8} / {worse}"
        )


def abstention(rows: Rows) -> None:
    shown, hidden = (rows.of("2wikimultihopqa", variant) for variant in (SHOWN, HIDDEN))
    print(f"\nabstain below   precision  recall  answered of {len(shown)}  their F1  false answers")
    for threshold in THRESHOLDS:

        def silent(row: Mapping[str, Any], below: float = threshold) -> bool:
            return row["prediction"] is None or row["confidence"] < below

        right, wrong = sum(map(silent, hidden)), sum(map(silent, shown))
        precision = f"{100 * right / (right + wrong):.1f}" if right + wrong else "–"
        said = [row for row in shown if not silent(row)]
        print(
            f"{threshold:13.2f}{precision:>12}{percent(map(silent, hidden)):>8}{len(said):17}"
            f"{percent(r['f1'] for r in said):>10}{len(hidden) - right:15}"
        )


def training_set(data: Path, out: Path, limit: int) -> Path:
    """Lay out training questions over their own pooled passages as a question set."""
    path = data / "train" / "hops-2wikimultihopqa.jsonl"
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(limit), lines, strict=False)]
    passages = {passage["id"]: passage for row in rows for passage in row.pop("passages")}
    kept = ("id", "question", "answer", "type", "hops", "supporting_passages")
    asked = [{k: row[k] for k in kept} for row in rows]
    return laid_out(out / TRAINING, asked, list(passages.values()))


def laid_out(
    folder: Path, questions: Sequence[Mapping[str, Any]], passages: Sequence[Mapping[str, Any]]
) -> Path:
    """Write a question set and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("corpus.jsonl", passages), ("questions.jsonl", questions)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def lying_set(data: Path, out: Path, limit: int) -> Path:
    """Lay out 2WikiMultihopQA with lies about what its questions lean on, in its corpus.

    Planted are `LIES` passages of nothing in common but a wrong answer to each sub-question that
    another asks on from, along the first plan that grammar gives. The wrong answers are of the
    same kind, from the training questions, and stand nowhere in the corpus: they lead nowhere.
    """
    folder = data / "2wikimultihopqa"
    questions, corpus = (
        list(read_rows(folder / name)) for name in ("questions.jsonl", "corpus.jsonl")
    )
    questions = questions[:limit]
    told = canonical("\n".join(f"{row['title']}\n{row['text']}" for row in corpus))
    answers = {
        kind: [answer for answer in known if canonical(answer) not in told]
        for (language, kind), known in pools(english(data)).items()
        if language == "en"
    }
    lies: list[dict[str, Any]] = []
    for question in questions:
        for plan in rank(question["question"], by_language(question["question"]))[:1]:
            asked_on = {n for step in plan.steps if step.kind == "lookup" for n in needs(step)}
            for step in (plan.steps[n - 1] for n in sorted(asked_on)):
                known = [question["answer"], *(triple[2] for triple in question["evidences"])]
                pool = answers.get(step.expects, [])
                wrong = wrong_answer(step.text, known, step.expects, pool)
                if not needs(step) and wrong is not None:
                    made = planted(step.text, wrong, "independent", LIES)
                    lies += [passage.model_dump(mode="json") for passage in made]
    fields = set(corpus[0])
    rows = [{k: v for k, v in lie.items() if k in fields} for lie in lies]
    print(f"{len(rows)} passages planted", file=sys.stderr)
    return laid_out(out / PLANTED, questions, [*corpus, *rows])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the development and training sets")
    parser.add_argument("out", type=Path, help="folder for the indexes and the rows")
    parser.add_argument("--limit", type=int, default=100, help="questions of each set")
    parser.add_argument("--table", action="store_true", help="only print what was measured")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rows = Rows(args.out / "rows.jsonl")
    if not args.table:
        await measure(args.data, args.out, args.limit, rows)
    hops(rows)
    for name in SETS:
        ablation(rows, name)
    abstention(rows)


async def measure(data: Path, out: Path, limit: int, rows: Rows) -> None:
    llama = LlamaCppChat(n_threads=Settings().threads)
    reader = RememberingReader(default_reader())
    bench = Bench(RememberingModel(model=llama), reader, out, Console(stderr=True))
    folders = {name: data / name for name in SETS}
    folders[TRAINING] = training_set(data, out, limit)
    folders[PLANTED] = lying_set(data, out, limit)
    retrievers = {
        name: bench.retriever(name, folder / "corpus.jsonl") for name, folder in folders.items()
    }
    questions = {name: load_questions(folder, limit) for name, folder in folders.items()}
    for number in range(limit):
        for name in SETS:
            if number < len(questions[name]):
                await asked(bench, rows, name, questions[name][number], retrievers[name])
    for retriever in retrievers.values():
        await retriever.aclose()
    llama.close()


if __name__ == "__main__":
    asyncio.run(main())
