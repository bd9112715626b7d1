"""How fast both backends index and search, on the same passages in one run.

    python benchmarks/backends.py ../shared/data                      # 15,000 passages
    python benchmarks/backends.py ../shared/data --passages 1000000 --heap 2g

The passages are those of the corpora in the folder; where they are not enough, sentences of
different passages are recombined. Real passages are encoded once, by the encoder that ships, and
that is timed apart: indexing is measured without it. A recombined passage has the mean of the
vectors of the passages that its sentences are from. Queries are the questions of the same folder,
encoded as they come. The node is what --es names, or the one of the tests (tests/elastic_node.py),
in which Java's vector instructions take the place of the vendor's native code. (This file is not
called elasticsearch.py, as `import elasticsearch` would then find it.)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrievers.documents import LONGEST, Document, split
from retrievers.elastic import ElasticsearchRetriever
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import MiniLMEncoder

CALLERS = (1, 4, 16)
WARM_UP = 20
K = 10
Index = EmbeddedIndex | ElasticsearchRetriever


class RememberingEncoder:
    """The real encoder, which encodes each real passage once, and makes up the recombined ones."""

    def __init__(self) -> None:
        self._encoder = MiniLMEncoder()
        self.dimensions = self._encoder.dimensions
        self._known: dict[str, NDArray[np.float32]] = {}
        self._of_sentence: dict[str, NDArray[np.float32]] = {}

    def learn(self, documents: Sequence[Document]) -> None:
        """Encode real documents, and remember the vectors for their sentences too."""
        texts = [f"{d.title}. {d.text}" if d.title else d.text for d in documents]
        self._known = dict(zip(texts, self._encoder.encode(texts), strict=True))
        for text, document in zip(texts, documents, strict=True):
            self._of_sentence |= dict.fromkeys(sentences(document), self._known[text])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = [self._vector(text) for text in texts]
        new = [text for text, vector in zip(texts, found, strict=True) if vector is None]
        fresh = iter(self._encoder.encode(new)) if new else iter(())
        return np.stack([next(fresh) if vector is None else vector for vector in found])

    def _vector(self, text: str) -> NDArray[np.float32] | None:
        if text in self._known:
            return self._known[text]
        parts = [self._of_sentence.get(line) for line in text.split("\n")[1:]]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        mean = np.mean(known, axis=0)
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def sentences(document: Document) -> list[str]:
    return [part.strip() for part in document.text.split(". ") if part.strip()]


def corpus(folder: Path) -> list[Document]:
    """The passages of all corpora, each whole, without those that stand in two of them."""
    found: dict[str, Document] = {}
    for file in sorted(folder.glob("*/corpus.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            document = Document.model_validate_json(line)
            if len(list(split(document))) == 1:
                found.setdefault(document.id, document)
    return list(found.values())


def recombined(documents: Sequence[Document], seed: int = 7) -> Iterator[Document]:
    """Endless passages of three sentences of different passages, one a line."""
    chosen = random.Random(seed)
    # Short enough that no passage is split.
    pool = [s for document in documents for s in sentences(document) if len(s) < LONGEST // 4]
    titles = [document.title for document in documents]
    for number in range(sys.maxsize):
        # The first line stands after the title, so that each further one is a sentence alone.
        text = "\n".join(["", *chosen.sample(pool, 3)])
        yield Document(id=f"recombined-{number}", title=chosen.choice(titles), text=text)


async def measure_indexing(index: Index, documents: Iterator[Document], total: int) -> float:
    """Index, and return passages per second."""
    begun = time.perf_counter()
    report = await index.aindex(documents)
    seconds = time.perf_counter() - begun
    if report.failed or report.passages != total:
        raise SystemExit(f"{report.passages} of {total} passages were indexed: {report.failed[:3]}")
    return total / seconds


async def measure_search(
    index: Index, queries: Sequence[str], callers: int, searches: int
) -> list[float]:
    """Let `callers` search one after another each; return the seconds of every search."""
    taken: list[float] = []

    async def call(offset: int) -> None:
        for n in range(searches // callers):
            begun = time.perf_counter()
            await index.search([queries[(offset + n * callers) % len(queries)]], K)
            taken.append(time.perf_counter() - begun)

    await asyncio.gather(*(call(offset) for offset in range(callers)))
    return taken


async def measure(
    name: str,
    index: Index,
    documents: Iterator[Document],
    total: int,
    queries: Sequence[str],
    searches: int,
) -> None:
    cells = [f"{await measure_indexing(index, documents, total):,.0f}"]
    for query in islice(queries, WARM_UP):
        await index.search([query], K)
    for callers in CALLERS:
        taken = await measure_search(index, queries, callers, searches)
        cuts = statistics.quantiles(taken, n=20)
        cells.append(f"{statistics.median(taken) * 1000:.0f} / {cuts[18] * 1000:.0f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)
    await index.aclose()


@contextmanager
def node(named: str | None, folder: Path, heap: str) -> Iterator[str]:
    """Yield the address of the node that was named, or of one started for the run."""
    if named is not None:
        yield named.rstrip("/")
        return
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from elastic_node import QUICK_TO_RUN, newest, running

    classes = folder / "classes"
    classes.mkdir()
    installation = newest(classes)
    with running(folder / "home", installation, heap=heap, jvm=QUICK_TO_RUN) as started:
        yield f"es://127.0.0.1:{started.port}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path, help="folder with <name>/corpus.jsonl, questions.jsonl")
    parser.add_argument("--passages", type=int, default=15_000)
    parser.add_argument(
        "--real", type=int, help="encode only so many real ones; recombine the rest"
    )
    parser.add_argument("--searches", type=int, default=400, help="for each number of callers")
    parser.add_argument("--es", help="es://host:port of a node; by default one is started")
    parser.add_argument("--heap", default="1g", help="of the node that is started")
    options = parser.parse_args()

    real = corpus(options.data)
    random.Random(7).shuffle(real)
    real = real[: min(options.passages, options.real or options.passages)]
    queries = [
        json.loads(line)["question"]
        for file in sorted(options.data.glob("*/questions.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    random.Random(7).shuffle(queries)

    def documents() -> Iterator[Document]:
        yield from real
        yield from islice(recombined(real), options.passages - len(real))

    encoder = RememberingEncoder()
    begun = time.perf_counter()
    encoder.learn(real)
    rate = len(real) / (time.perf_counter() - begun)
    print(
        f"{options.passages:,} passages, {len(real):,} of them real, encoded at {rate:.0f} a "
        f"second; {len(queries)} queries, k = {K}; {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[1]:.1f}\n",
        flush=True,
    )
    heads = " | ".join(f"p50 / p95 ms, {callers} callers" for callers in CALLERS)
    print(f"| backend | indexing, passages/s | {heads} |\n|---|{'---|' * (len(CALLERS) + 1)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(
            measure(
                "embedded",
                EmbeddedIndex.create(folder / "embedded", encoder),
                documents(),
                options.passages,
                queries,
                options.searches,
            )
        )
        with node(options.es, folder, options.heap) as address:
            place = f"{address}/benchmark-{int(time.time())}"
            asyncio.run(
                measure(
                    "elasticsearch",
                    ElasticsearchRetriever.from_url(place, encoder),
                    documents(),
                    options.passages,
                    queries,
                    options.searches,
                )
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory of this process, both backends: {peak:.1f} GiB")


if __name__ == "__main__":
    main()
