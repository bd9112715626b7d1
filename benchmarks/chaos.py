"""Kill a run at every node boundary and inside its calls, and see that it ends the same.

    python benchmarks/chaos.py ../shared/data/2wikimultihopqa out --limit 50

Each question is asked once in peace. Then it is asked by a process that kills itself (SIGKILL) at
the first of these places at which none before it was killed: before and after each checkpoint
that LangGraph writes, inside each model call, inside each search and inside each reading, and with
`--events` after each line of the trace. The next process resumes the run, and is killed at the
next place; and so on until one comes to the end. It has to end with the answer of the run in peace,
and no call that stands finished in the trace may be made again by a later process.

Real processes (forked, so that the libraries are imported once), the real model, the real index.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agent.runs as runs
from agent import checkpoints
from agent.answer import Answer
from agent.api import Agent
from agent.evaluation import EvalQuestion, load_questions
from agent.indexes import open_index
from agent.indexing import index_files
from agent.llama import LlamaCppChat
from agent.readers import default_reader
from agent.settings import Settings
from agent.traces import TraceWriter, read_trace
from graph.events import CandidatesRead, Event, ModelCalled, Retrieved
from graph.protocols import Reader
from graph.types import AnswerType, Candidate, Limits
from retrievers.passage import Hit, Passage, Retriever

PATIENT = Limits(max_seconds=3600)
"""A busy machine must not change what is found."""
MOST_LIVES = 400


@dataclass
class Fate:
    """Where a process dies, and what it began before: both stand in files, as it cannot tell."""

    places: Path
    begun: Path
    mortal: bool

    def begins(self, call: str) -> None:
        """Note that a call is really made."""
        with self.begun.open("a", encoding="utf-8") as file:
            file.write(json.dumps(call) + "\n")

    def passes(self, place: str) -> None:
        """Die here, unless a process before did."""
        if not self.mortal or place in noted(self.places):
            return
        with self.places.open("a", encoding="utf-8") as file:
            file.write(json.dumps(place) + "\n")
        os.kill(os.getpid(), signal.SIGKILL)


def noted(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class MortalModel(LlamaCppChat):
    """The real model, in the middle of whose answers the process may die."""

    def watch(self, fate: Fate) -> MortalModel:
        object.__setattr__(self, "_fate", fate)
        return self

    async def _astream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        fate: Fate = object.__getattribute__(self, "_fate")
        prompt = "\n\n".join(f"[{m.type}] {m.text}" for m in messages)
        fate.begins(f"model {prompt}")
        pieces = 0
        async for chunk in super()._astream(messages, *args, **kwargs):
            yield chunk
            pieces += 1
            if pieces == 3:
                fate.passes(f"inside model {prompt}")


@dataclass
class MortalRetriever:
    retriever: Retriever
    fate: Fate

    @property
    def folder(self) -> str:
        return str(getattr(self.retriever, "folder", None))

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        call = f"search {'|'.join(queries)}"
        self.fate.begins(call)
        found = await self.retriever.search(queries, k)
        self.fate.passes(f"inside {call}")
        return found

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        return await self.retriever.get(ids)

    async def count(self) -> int:
        return await self.retriever.count()

    async def aclose(self) -> None:
        await self.retriever.aclose()


@dataclass
class MortalReader:
    reader: Reader
    fate: Fate

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        self.fate.begins(f"read {question}")
        found = self.reader.read(question, passages, expects, per_passage)
        self.fate.passes(f"inside read {question}")
        return found


def finished_calls(events: Sequence[Event]) -> set[str]:
    """Return the calls that a trace tells of as finished."""
    found = set()
    for event in events:
        match event:
            case Retrieved():
                found.add(f"search {'|'.join(event.queries)}")
            case CandidatesRead():
                found.add(f"read {event.question}")
            case ModelCalled():
                found.add(f"model {event.prompt}")
            case _:
                pass
    return found


def mortal_checkpoints(fate: Fate) -> None:
    """Let the process die before and after each checkpoint that is written."""
    put = checkpoints.Checkpoints.aput

    async def aput(saver: Any, config: Any, checkpoint: Any, metadata: Any, versions: Any) -> Any:
        step = f"step {metadata.get('step')}"
        fate.passes(f"before checkpoint of {step}")
        saved = await put(saver, config, checkpoint, metadata, versions)
        fate.passes(f"after checkpoint of {step}")
        return saved

    setattr(checkpoints.Checkpoints, "aput", aput)  # noqa: B010


def mortal_trace(fate: Fate) -> None:
    """Let the process die after each line of the trace."""

    class MortalWriter(TraceWriter):
        written = 0

        def write(self, event: Event) -> None:
            super().write(event)
            lines = self.path.read_bytes().count(b"\n")
            fate.passes(f"after line {lines}")

    setattr(runs, "TraceWriter", MortalWriter)  # noqa: B010


def live(question: str, index: Path, folder: Path, fate: Fate, events: bool) -> None:
    """Ask, or resume what a process before left; write the answer where it comes to the end."""
    mortal_checkpoints(fate)
    if events:
        mortal_trace(fate)
    settings = Settings(index=str(index), traces=folder, limits=PATIENT)
    opened = open_index(settings.index, settings)
    assert opened is not None  # it was made before
    model = MortalModel(n_threads=settings.threads).watch(fate)
    reader = MortalReader(default_reader(), fate)
    with Agent(MortalRetriever(opened, fate), model, reader=reader, settings=settings) as asked:
        left = sorted(folder.glob("*.jsonl"))
        answer = asked.resume(left[0].stem) if left else asked.ask(question)
    (folder / "answer").write_text(answer.model_dump_json(), encoding="utf-8")


def forked(question: str, index: Path, folder: Path, fate: Fate, events: bool) -> bool:
    """Live in a process of its own; return whether it came to the end.

    Raises
    ------
    RuntimeError
        Where it failed by itself.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            live(question, index, folder, fate, events)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"a process failed by itself on {question!r}")
    return True


def said(folder: Path) -> tuple[Any, ...]:
    """Return what of an answer must not depend on kills."""
    answer = Answer.model_validate_json((folder / "answer").read_text(encoding="utf-8"))
    paths = [(path.origin, path.answer, path.confidence) for path in answer.tree.paths]
    used = answer.usage
    spent = (used.model_calls, used.retrieval_calls, used.input_tokens, used.output_tokens)
    return answer.status, answer.answer, answer.text, answer.citations, paths, spent


def tried(question: EvalQuestion, index: Path, out: Path, events: bool) -> dict[str, Any]:
    """Ask a question in peace and in chaos; return what came of it."""
    peace, chaos = out / f"{question.id}-peace", out / f"{question.id}-chaos"
    for folder in (peace, chaos):
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
    calm = Fate(peace / "places", peace / "begun", mortal=False)
    forked(question.question, index, peace, calm, events)
    fate = Fate(chaos / "places", chaos / "begun", mortal=True)
    repeated: list[str] = []
    kills, ended = 0, False
    while not ended and kills < MOST_LIVES:
        traces = list(chaos.glob("*.jsonl"))
        finished = finished_calls(read_trace(traces[0])) if traces else set()
        before = len(noted(fate.begun))
        ended = forked(question.question, index, chaos, fate, events)
        repeated += [call for call in noted(fate.begun)[before:] if call in finished]
        kills += not ended
    return {
        "id": question.id,
        "kills": kills,
        "ended": ended,
        "same": ended and said(peace) == said(chaos),
        "repeated": repeated,
        "inside_calls": sum(place.startswith("inside") for place in noted(fate.places)),
    }


def warm() -> None:
    """Load before the forks what has no threads of its own."""
    import graph.machine  # noqa: F401
    from graph.planning.language import parser

    parser()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder with corpus.jsonl and questions.jsonl")
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--index", type=Path, help="an index of the corpus; else one is made")
    parser.add_argument("--events", action="store_true", help="also after each line of the trace")
    args = parser.parse_args()
    questions = load_questions(args.data, args.limit)
    index = args.index or args.out / "index"
    if args.index is None and not asyncio.run(_made(args.data, index)):
        return 1
    warm()
    rows = []
    for question in questions:
        rows.append(tried(question, index, args.out, args.events))
        print(json.dumps(rows[-1]), flush=True)
    total = {
        "questions": len(rows),
        "kills": sum(row["kills"] for row in rows),
        "inside_calls": sum(row["inside_calls"] for row in rows),
        "same_answer": sum(row["same"] for row in rows),
        "repeated_calls": sum(len(row["repeated"]) for row in rows),
    }
    print(json.dumps(total))
    return 0 if total["same_answer"] == len(rows) and not total["repeated_calls"] else 1


async def _made(data: Path, index: Path) -> bool:
    from rich.console import Console

    made = index_files(
        [data / "corpus.jsonl"], Settings(index=str(index)), [], False, Console(stderr=True)
    )
    return not made.failed


if __name__ == "__main__":
    raise SystemExit(main())
