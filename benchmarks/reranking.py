"""Would the readers rank passages better than the retriever does? Over training lookups.

    python -m benchmarks.reranking ../shared/data OUT

OUT is the folder of `training.calibration.fit`: its searches and readings are used, of questions
that no reader was trained on. The ten passages that were found are put in the order of the
readers' probability that a passage holds an answer, of that times the retriever's score, and of
the reciprocal ranks of both. Right is a passage that holds the answer: of XQuAD, DRCD and CMRC 2018
any, of a hop one of the supporting passages of its question.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from graph.normalise import canonical
from retrievers.fusion import rrf
from training.calibration.lookups import chinese, english, open_store
from training.reader.examples import read_rows

CUTS = (1, 2, 5)
ORDERS = ("retriever", "reader", "both, times", "both, reciprocal ranks")


def ordered(scores: Mapping[str, float], read: Mapping[str, float]) -> dict[str, list[str]]:
    """Return the passages in each of `ORDERS`, ties as the retriever has them.

    `scores` are the retriever's by passage, best first, `read` the readers' probabilities.
    """
    found = list(scores)
    by_reader = sorted(found, key=lambda passage: -read[passage])
    fused = dict(rrf([found, by_reader]))
    by_both = sorted(found, key=lambda passage: -scores[passage] * read[passage])
    orders = (found, by_reader, by_both, sorted(found, key=lambda passage: -fused[passage]))
    return dict(zip(ORDERS, orders, strict=True))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder of the lookups")
    arguments = parser.parse_args()
    supporting = {
        row["id"]: set(row["supporting_passages"])
        for row in read_rows(arguments.data / "train" / "hops-2wikimultihopqa.jsonl")
    }
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    asked: Counter[str] = Counter()
    for language, rows in (("en", english(arguments.data)), ("zh", chinese(arguments.data))):
        store = open_store(arguments.data, arguments.out, language)
        for row in rows:
            if row.seen:
                continue
            hits = store.search(row.question)
            wanted = [canonical(answer) for answer in row.answers]
            known = supporting.get(row.id.partition("#")[0])
            right = {
                hit.passage.id
                for hit in hits
                if (known is None or hit.passage.id in known)
                and any(answer in canonical(hit.passage.text) for answer in wanted)
            }
            read = {hit.passage.id: 0.0 for hit in hits}
            for c in store.read(row.question, [hit.passage for hit in hits], row.expects):
                read[c.passage_id] = max(read[c.passage_id], 1 - c.no_answer)
            asked[row.kind] += 1
            scores = {hit.passage.id: hit.score for hit in hits}
            for name, ranked in ordered(scores, read).items():
                for cut in CUTS:
                    found[name, row.kind][cut] += not right.isdisjoint(ranked[:cut])
    print(f"| order | {' | '.join(f'{kind} ({n})' for kind, n in asked.items())} |")
    print(f"|---|{'---|' * len(asked)}")
    for name in ORDERS:
        cells = [
            " / ".join(f"{100 * found[name, kind][cut] / n:.1f}" for cut in CUTS)
            for kind, n in asked.items()
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
