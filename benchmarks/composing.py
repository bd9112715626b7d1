"""The answer in words, by rules and freely, side by side for a person to judge.

    python benchmarks/composing.py ../shared/data/train > composing.md

24 English and 24 Chinese training questions, drawn by a fixed seed; the gold answer is given as the
verdict, with one citation a hop, so that nothing but the wording differs. The model that ships
writes both sentences through the calls that a run uses. A table of Markdown comes out, and how
many seconds and tokens the sentences took.

Right is for a person to say: the sentence names the verdict, says nothing that question and
verdict do not, is grammatical, and answers the question by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
from pathlib import Path
from typing import Any, get_args

from agent.llama import LlamaCppChat
from graph.calls import Calls
from graph.events import Citation
from graph.nodes.ending import in_words
from graph.types import Wording
from retrievers.passage import Passage

SEED = 31
DRAWN = {
    "hops-2wikimultihopqa": ("en", 12),
    "reading-xquad-en": ("en", 12),
    "reading-cmrc2018-zh": ("zh", 8),
    "reading-drcd-zh": ("zh", 8),
    "reading-xquad-zh": ("zh", 8),
}


def drawn(data: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the questions, each with its language."""
    chance, found = random.Random(SEED), []
    for name, (language, count) in DRAWN.items():
        lines = (data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        found += [(language, json.loads(line)) for line in chance.sample(lines, count)]
    return found


def cited(row: dict[str, Any]) -> list[Citation]:
    """Return one citation a hop, or one of the answer where the question has one hop."""
    hops = [
        (hop["question"], evidence[2])
        for hop, evidence in zip(
            row.get("decomposition", []), row.get("evidences", []), strict=True
        )
    ]
    return [
        Citation(
            number=number,
            passage=Passage(id=str(number), text=answer),
            start=0,
            end=len(answer),
            quote=answer,
            question=question,
        )
        for number, (question, answer) in enumerate(hops or [(row["question"], row["answer"])], 1)
    ]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder of the training questions")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    model = LlamaCppChat(n_threads=given.threads)
    model.load()
    wordings: tuple[Wording, ...] = get_args(Wording)
    spent: dict[tuple[str, str], list[tuple[float, int]]] = {}
    print("| question | verdict |", " | ".join(wordings), "|")
    print("|---|---|" + "---|" * len(wordings))
    for language, row in drawn(given.data):
        told = []
        for wording in wordings:
            calls = Calls(model, wording=wording)
            events: list[Any] = []
            text = await in_words(
                row["question"], row["answer"], cited(row), language, calls, events.append
            )
            told.append(text)
            spent.setdefault((language, wording), []).append(
                (events[-1].seconds, calls.model_tokens)
            )
        cells = [row["question"], row["answer"], *told]
        print("|", " | ".join(cell.replace("|", "\\|").strip() for cell in cells), "|", flush=True)
    print()
    for (language, wording), calls_made in spent.items():
        seconds, tokens = (statistics.median(column) for column in zip(*calls_made, strict=True))
        print(f"{language}, {wording}: median {seconds:.2f} s, {tokens:.0f} tokens")
    model.close()


if __name__ == "__main__":
    asyncio.run(main())
