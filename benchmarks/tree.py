"""What each part of the search over the question tree earns.

    python benchmarks/tree.py ../shared/data out

Three parts, each of which can be asked for alone (`--part hops`, `ablation`, `abstention`):

* hops: MuSiQue by the number of hops: F1, how many of the gold intermediate answers a step of some
  path came to, paths and model tokens a question.
* ablation: the same questions with only some of the ways on after a failure (`Limits.ways`), over
  MuSiQue, 2WikiMultihopQA and a sample of its training questions over their own passages.
* abstention: 2WikiMultihopQA questions, each once as it is and once with its supporting passages
  hidden from the search. Abstention precision and recall over thresholds of the confidence.

What was read, searched and written for a question is kept in memory and taken again for its other
variants, so that the ablation costs little more than one run; tokens are counted as if it were not.
Rows go to OUT/*.jsonl. About 10 minutes on 2 cores, without the indexing (about 6).
"""

from __future__ import annotations

import argparse
import asyncio
import json
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
from agent.readers import default_reader
from agent.settings import Settings
from graph.normalise import same_answer
from graph.protocols import Reader
from graph.types import AnswerType, Candidate, Limits, Way
from retrievers.passage import Hit, Passage, Retriever

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

    def keep(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.out / name).write_text("".join(lines), encoding="utf-8")


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
    """Return why the path was opened that the answer came from: a plan, a runner-up, …"""
    for path in answer.tree.paths:
        if path.answer is not None and path.answer == answer.answer:
            kind = path.origin.split()[0]
            return "reworded" if "reworded" in path.origin else kind
    return "none"


# ── the three measurements ────────────────────────────────────────────────────────────────────


async def hops(bench: Bench, questions: Sequence[EvalQuestion], retriever: Retriever) -> None:
    rows = [row_of(q, await bench.ask(retriever, q.question, PATIENT)) for q in questions]
    bench.keep("hops.jsonl", rows)
    print("\nhops      n    EM    F1  intermediate  paths  tokens  abstained")
    for count in [*sorted({row["hops"] for row in rows}), None]:
        of = [row for row in rows if count in (None, row["hops"])]
        known = [row["intermediate"] for row in of if row["intermediate"] is not None]
        print(
            f"{count or 'all':<5}{len(of):6}{100 * mean(r['em'] for r in of):6.1f}"
            f"{100 * mean(r['f1'] for r in of):6.1f}"
            f"{100 * mean(known) if known else float('nan'):14.1f}"
            f"{mean(r['paths'] for r in of):7.2f}{mean(r['tokens'] for r in of):8.0f}"
            f"{sum(r['status'] == 'abstained' for r in of):11}",
            flush=True,
        )


async def ablation(
    bench: Bench, name: str, questions: Sequence[EvalQuestion], retriever: Retriever
) -> None:
    rows: list[dict[str, Any]] = []
    for question in questions:
        remembering = Hiding(retriever)
        for variant, ways in VARIANTS.items():
            limits = PATIENT.model_copy(update={"ways": ways})
            answer = await bench.ask(remembering, question.question, limits)
            rows.append({"variant": variant, **row_of(question, answer)})
    bench.keep(f"ablation-{name}.jsonl", rows)
    print(f"\n{name:<26}    EM    F1  abstained  paths  tokens  better/worse than without")
    alone = {row["id"]: row["f1"] for row in rows if row["variant"] == "no backtracking"}
    for variant in VARIANTS:
        of = [row for row in rows if row["variant"] == variant]
        better = sum(row["f1"] > alone[row["id"]] for row in of)
        worse = sum(row["f1"] < alone[row["id"]] for row in of)
        print(
            f"{variant:<26}{100 * mean(r['em'] for r in of):6.1f}"
            f"{100 * mean(r['f1'] for r in of):6.1f}"
            f"{sum(r['status'] == 'abstained' for r in of):11}"
            f"{mean(r['paths'] for r in of):7.2f}{mean(r['tokens'] for r in of):8.0f}"
            f"{better:8} / {worse}",
            flush=True,
        )


async def abstention(bench: Bench, questions: Sequence[EvalQuestion], retriever: Retriever) -> None:
    always = PATIENT.model_copy(update={"abstain": 0.0})
    rows = []
    for question in questions:
        for hidden in (frozenset[str](), frozenset(question.supporting_passages)):
            answer = await bench.ask(Hiding(retriever, hidden), question.question, always)
            rows.append({"answerable": not hidden, **row_of(question, answer)})
    bench.keep("abstention.jsonl", rows)
    print("\nabstain below  precision  recall  F1 of answered  answerable answered  false answers")
    for threshold in THRESHOLDS:
        silent = [r for r in rows if r["prediction"] is None or r["confidence"] < threshold]
        spoken = [r for r in rows if r not in silent]
        unanswerable = [r for r in rows if not r["answerable"]]
        right = sum(not r["answerable"] for r in silent)
        said = [r for r in spoken if r["answerable"]]
        print(
            f"{threshold:13.2f}{100 * right / len(silent) if silent else float('nan'):11.1f}"
            f"{100 * right / len(unanswerable):8.1f}"
            f"{100 * mean(r['f1'] for r in said) if said else float('nan'):16.1f}"
            f"{len(said):21}{len(spoken) - len(said):15}",
            flush=True,
        )


def training_set(data: Path, out: Path, limit: int) -> Path:
    """Lay out training questions over their own pooled passages as a question set."""
    folder = out / "training"
    folder.mkdir(parents=True, exist_ok=True)
    path = data / "train" / "hops-2wikimultihopqa.jsonl"
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(limit), lines, strict=False)]
    passages = {passage["id"]: passage for row in rows for passage in row.pop("passages")}
    kept = ("id", "question", "answer", "type", "hops", "supporting_passages")
    for name, content in (
        ("corpus.jsonl", list(passages.values())),
        ("questions.jsonl", [{k: row[k] for k in kept} for row in rows]),
    ):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the development and training sets")
    parser.add_argument("out", type=Path, help="folder for the indexes and the rows")
    parser.add_argument("--part", action="append", choices=("hops", "ablation", "abstention"))
    parser.add_argument("--limit", type=int, default=100, help="questions of each set")
    args = parser.parse_args()
    parts = args.part or ["hops", "ablation", "abstention"]
    args.out.mkdir(parents=True, exist_ok=True)
    llama = LlamaCppChat(n_threads=Settings().threads)
    bench = Bench(
        RememberingModel(model=llama),
        RememberingReader(default_reader()),
        args.out,
        Console(stderr=True),
    )
    sets = {"musique": args.data / "musique", "2wikimultihopqa": args.data / "2wikimultihopqa"}
    if "ablation" in parts:
        sets["training"] = training_set(args.data, args.out, args.limit)
    for name, folder in sets.items():
        retriever = bench.retriever(name, folder / "corpus.jsonl")
        questions = load_questions(folder, args.limit)
        if "hops" in parts and name == "musique":
            await hops(bench, questions, retriever)
        if "ablation" in parts:
            await ablation(bench, name, questions, retriever)
        if "abstention" in parts and name == "2wikimultihopqa":
            await abstention(bench, questions, retriever)
        await retriever.aclose()
    llama.close()


if __name__ == "__main__":
    asyncio.run(main())
