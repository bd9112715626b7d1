"""Recall of the retriever alone: what each ranking adds, and how a bridging search is merged.

    python benchmarks/ranking.py ../shared/data train
    python benchmarks/ranking.py ../shared/data development

Shares of the supporting documents among the first k, in percent, averaged over the questions. What
is fused, with which weights, and how bridges are merged was decided on the training questions; the
development sets are there to be reported. No model is asked: a question is one query, and with
*hops* each hop of a training question is one. Indexes stand in a temporary folder, or in the one
that --indexes names, where a later run finds them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from agent.metrics import recall_at
from graph.nodes.seeking import BRIDGES, bridged, bridges
from graph.types import Limits
from retrievers.documents import Document
from retrievers.embedded import DEPTH, EmbeddedIndex
from retrievers.fusion import Rankings, fused_hits, rrf
from retrievers.names import title_key
from retrievers.passage import Hit, Passage

AT = (1, 2, 5, 10)
READING = ("xquad-en", "xquad-zh", "drcd-zh", "cmrc2018-zh")
DEVELOPMENT = ("2wikimultihopqa", "hotpotqa", "musique", "cmrc2018")
PASSAGES = Limits().passages
LISTS = [field.name for field in fields(Rankings)]
WITHOUT = {
    "BM25": ("dense", "title", "phrase"),
    "BM25, vectors": ("title", "phrase"),
    "+ titles": ("phrase",),
    "+ names": ("title",),
    "+ both": (),
}
Merge = Callable[[Sequence[Hit], Sequence[Sequence[Hit]], int], Sequence[str]]


@dataclass(frozen=True)
class Query:
    text: str
    supporting: tuple[str, ...]


@dataclass(frozen=True)
class QuerySet:
    name: str
    corpus: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]
    bridged: bool = False
    """Whether its questions have several hops."""


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def training(folder: Path) -> Iterator[QuerySet]:
    """The questions of 2WikiMultihopQA whole and by hops, over all their passages; one-hop ones."""
    whole = rows(folder / "hops-2wikimultihopqa.jsonl")
    documents = {p["id"]: Document(**p) for row in whole for p in row["passages"]}
    of_title = {id_: title_key(document.title) for id_, document in documents.items()}
    hops = []
    for row in whole:
        subjects = {of_title[id_]: id_ for id_ in row["supporting_passages"]}
        # The passage that a hop needs is that of the thing it asks about.
        for hop, (subject, *_) in zip(row["decomposition"], row["evidences"], strict=False):
            if title_key(subject) in subjects:
                hops.append(Query(hop["question"], (subjects[title_key(subject)],)))
    untitled = tuple(d.model_copy(update={"title": ""}) for d in documents.values())
    asked = tuple(Query(row["question"], tuple(row["supporting_passages"])) for row in whole)
    all_ = tuple(documents.values())
    yield QuerySet("2wikimultihopqa", "2wikimultihopqa", all_, asked, bridged=True)
    yield QuerySet("2wikimultihopqa, hops", "2wikimultihopqa", all_, tuple(hops))
    yield QuerySet("2wikimultihopqa, hops, no titles", "untitled", untitled, tuple(hops))
    for name in READING:
        yield QuerySet(
            name,
            name,
            tuple(Document(**row) for row in rows(folder / f"reading-{name}.passages.jsonl")),
            tuple(
                Query(row["question"], (row["passage"],))
                for row in rows(folder / f"reading-{name}.jsonl")
            ),
        )


def development(folder: Path) -> Iterator[QuerySet]:
    """The development sets, each question whole."""
    for name in DEVELOPMENT:
        yield QuerySet(
            name,
            name,
            tuple(Document(**row) for row in rows(folder / name / "corpus.jsonl")),
            tuple(
                Query(row["question"], tuple(row["supporting_passages"]))
                for row in rows(folder / name / "questions.jsonl")
            ),
            bridged=name != "cmrc2018",
        )


def rankings(hits: Sequence[Hit]) -> Rankings[str]:
    """Return the lists that hits were fused from, each as deep as a search takes it."""
    lists = {}
    for name in LISTS:
        places = {getattr(hit, f"{name}_rank"): hit.passage.id for hit in hits}
        lists[name] = [places[rank] for rank in range(DEPTH) if rank in places]
    return Rankings(**lists)


def fused(found: Rankings[str], without: Sequence[str], known: dict[str, Passage]) -> list[str]:
    left = replace(found, **dict.fromkeys(without, ()))
    return [hit.passage.id for hit in fused_hits(left, max(AT), lambda ids: known)]


def by_rank(first: Sequence[Hit], further: Sequence[Sequence[Hit]], most: int) -> list[str]:
    """Merge by reciprocal rank, the question's own list twice: what `bridged` is compared with."""
    lists = [[hit.passage.id for hit in found] for found in (first, first, *further)]
    return [passage for passage, _ in rrf(lists)[:most]]


def in_turns(first: Sequence[Hit], further: Sequence[Sequence[Hit]], most: int) -> list[str]:
    return [hit.passage.id for hit in bridged(first, further, most)]


MERGES: dict[str, Merge] = {"bridged, by rank": by_rank, "bridged, in turns": in_turns}


async def measure(of: QuerySet, index: EmbeddedIndex) -> None:
    """Print a row of the table for each way of ranking."""
    ranked: dict[str, list[list[str]]] = {}
    for query in of.queries:
        [hits] = await index.search([query.text], len(LISTS) * DEPTH)
        found, known = rankings(hits), {hit.passage.id: hit.passage for hit in hits}
        for name, without in WITHOUT.items():
            ranked.setdefault(name, []).append(fused(found, without, known))
        if of.bridged:
            further = await index.search(bridges(query.text, hits), PASSAGES)
            for name, merge in MERGES.items():
                merged = merge(hits[:PASSAGES], further, PASSAGES + BRIDGES)
                ranked.setdefault(name, []).append(list(merged))
    for name, lists in ranked.items():
        cells = []
        for k in AT:
            pairs = zip(lists, of.queries, strict=True)
            recalls = [recall_at(k, ids, query.supporting) or 0.0 for ids, query in pairs]
            cells.append(f"{100 * fmean(recalls):.1f}")
        print(f"| {of.name} | {len(of.queries)} | {name} | {' | '.join(cells)} |", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder of the data sets")
    parser.add_argument("part", choices=("train", "development"))
    parser.add_argument(
        "--limit", type=int, default=500, help="questions of a set, drawn at random"
    )
    parser.add_argument("--indexes", type=Path, help="folder in which the indexes are kept")
    parser.add_argument("--sets", nargs="+", help="only the sets of these names")
    options = parser.parse_args()
    sets = (
        training(options.data / "train") if options.part == "train" else development(options.data)
    )
    print(f"| set | questions | ranking | {' | '.join(f'@{k}' for k in AT)} |")
    print(f"|---|---|---|{'---|' * len(AT)}")
    with tempfile.TemporaryDirectory() as temporary:
        for of in sets:
            if options.sets and of.name not in options.sets:
                continue
            drawn = random.Random(7).sample(of.queries, min(options.limit, len(of.queries)))
            folder = (options.indexes or Path(temporary)) / options.part / of.corpus
            index = EmbeddedIndex.create(folder)
            index.index(of.documents)
            await measure(replace(of, queries=tuple(drawn)), index)
            index.close()


if __name__ == "__main__":
    asyncio.run(main())
