"""Ways of voting compared, over the same candidates, clean and under planted noise.

    python -m benchmarks.voting ../shared/data OUT [--limit N] [--noise 1 3 10]

Every question is asked as hoptree asks it, but without a language model: the steps of the first
plan that grammar gives, else the whole question as one lookup, each answered by the way of voting
alone; no second path, and no abstaining. So the tables compare votes, not searches. Searches and
readings are kept in OUT, which makes a second run quick.

Planted are k passages a question, which state a wrong answer of the same kind to the last lookup of
its plan (see training/calibration/planting.py), at the head of its ranking. None of the ten
passages that were found gives way for them. With `--every` each lookup of the plan gets its own k.
"""

from __future__ import annotations

import argparse
import functools
import gc
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import networkx as nx

from agent.evaluation import EvalQuestion, load_questions
from agent.metrics import exact_match, f1
from graph.planning import by_language, whole
from graph.planning.check import rank
from graph.support import prepare, scoring, vote
from graph.support.building import support_graph
from graph.support.independence import source_of
from graph.support.trust import Record, lessons, together, trust
from graph.support.voting import weigh
from graph.types import AnswerType, Candidate, Limits, Plan, Voting
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.passage import Hit
from training.calibration.examples import right, with_planted
from training.calibration.fit import ece
from training.calibration.lookups import Asked, Store
from training.calibration.paths import walked
from training.calibration.planting import WAYS, Way, wrong_answer
from training.reader.examples import read_rows

SETS = ("2wikimultihopqa", "hotpotqa", "musique", "cmrc2018")
Lookup = tuple[str, Sequence[Hit], Sequence[Candidate], AnswerType]
Method = Callable[[str, Sequence[Hit], Sequence[Candidate], AnswerType], str | None]


# ── the ways of voting ────────────────────────────────────────────────────────────────────────


def shipped(by: scoring.Name) -> Method:
    """Return a way of voting that ships."""

    def decide(
        question: str, hits: Sequence[Hit], candidates: Sequence[Candidate], expects: AnswerType
    ) -> str | None:
        verdict = vote(
            question, hits, candidates, expects=expects, voting=Voting(scoring=by)
        ).verdict
        return verdict.answer if verdict else None

    return decide


def trusting() -> Method:
    """Return the learned way of voting, which learns from each verdict how far to trust sources."""
    records: dict[str, Record] = {}

    def decide(
        question: str, hits: Sequence[Hit], candidates: Sequence[Candidate], expects: AnswerType
    ) -> str | None:
        voting = Voting(sources=trust(records))
        result = vote(question, hits, candidates, expects=expects, voting=voting)
        sources = {hit.passage.id: source_of(hit.passage) for hit in hits}
        records.update(together(records, [lessons(result, sources)]))
        return result.verdict.answer if result.verdict else None

    return decide


class Answers(NamedTuple):
    """A weighed support graph, and the candidate nodes of each answer."""

    graph: nx.Graph
    members: list[list[tuple[str, int]]]

    def text(self, number: int) -> str:
        """Return an answer's words: those of its heaviest reading."""
        return str(
            max(
                (edge["weight"], self.graph.nodes[node]["candidate"].text)
                for node in self.members[number]
                for edge in self.graph[node].values()
                if edge["kind"] == "extracts"
            )[1]
        )

    def edges(self, number: int) -> list[tuple[str, int, float, bool]]:
        """Return (passage, vote, weight, whether it was read) of what speaks for an answer."""
        found = []
        for node in self.members[number]:
            for other, edge in self.graph[node].items():
                if edge["kind"] != "similar":
                    vote_of = next(n[1] for n in self.graph[other] if n[0] == "vote")
                    found.append((other[1], vote_of, edge["weight"], edge["kind"] == "extracts"))
        return found


_GRAPHS: dict[int, Answers] = {}


def _built(
    question: str, hits: Sequence[Hit], candidates: Sequence[Candidate], expects: AnswerType
) -> Answers:
    """Return the weighed graph of a lookup, made once: `Chains` keeps the candidates alive."""
    if id(candidates) not in _GRAPHS:
        graph = support_graph(question, hits, candidates, expects)
        _GRAPHS[id(candidates)] = Answers(graph, weigh(graph, scoring.Weighted()))
    return _GRAPHS[id(candidates)]


def by_graph(score: Callable[[Answers], Sequence[float]]) -> Method:
    """Return the way of voting that takes the answer of the highest score."""

    def decide(
        question: str, hits: Sequence[Hit], candidates: Sequence[Candidate], expects: AnswerType
    ) -> str | None:
        found = _built(question, hits, candidates, expects)
        if not found.members:
            return None
        scores = score(found)
        best = max(scores)
        return min(
            found.text(n) for n, s in enumerate(scores) if math.isclose(s, best, abs_tol=1e-12)
        )

    return decide


def best_single(found: Answers) -> list[float]:
    """Score by the heaviest single reading."""
    return [max(w for _, _, w, read in found.edges(n) if read) for n in range(len(found.members))]


def majority(found: Answers) -> list[float]:
    """Count the passages whose best reading it is; ties go to the heavier one."""
    best: dict[str, tuple[float, int]] = {}
    for number in range(len(found.members)):
        for passage, _, weight, read in found.edges(number):
            if read:
                best[passage] = max(best.get(passage, (0.0, -1)), (weight, number))
    counted = Counter(number for weight, number in best.values() if weight >= 0.1)
    return [counted[n] + 1e-3 * s for n, s in enumerate(best_single(found))]


def copies_count(found: Answers) -> list[float]:
    """Score by the noisy-or over all passages, dependent or not."""
    totals = []
    for number in range(len(found.members)):
        heaviest: dict[str, float] = defaultdict(float)
        for passage, _, weight, _ in found.edges(number):
            heaviest[passage] = max(heaviest[passage], weight)
        totals.append(-sum(math.log1p(-min(w, scoring.SURE)) for w in heaviest.values()))
    return totals


def _walkable(found: Answers) -> nx.DiGraph:
    """Return the graph to walk on: question to votes, votes to answers, and back."""
    graph = nx.DiGraph()
    for number in range(len(found.members)):
        heaviest: dict[int, float] = defaultdict(float)
        for _, vote_of, weight, _ in found.edges(number):
            heaviest[vote_of] = max(heaviest[vote_of], weight)
        for vote_of, weight in heaviest.items():
            graph.add_edge(("vote", vote_of), ("answer", number), weight=weight + 1e-9)
            graph.add_edge(("answer", number), ("vote", vote_of), weight=weight + 1e-9)
    for key, node in found.graph.nodes(data=True):
        if key[0] == "passage":
            vote_of = next(n[1] for n in found.graph[key] if n[0] == "vote")
            weight = max(
                node["relevance"],
                graph.get_edge_data("question", ("vote", vote_of), {}).get("weight", 0),
            )
            graph.add_edge("question", ("vote", vote_of), weight=weight + 1e-9)
            graph.add_edge(("vote", vote_of), "question", weight=1e-9)
    return graph


def _answers_of(found: Answers, scores: Mapping[object, float]) -> list[float]:
    return [scores.get(("answer", n), 0.0) for n in range(len(found.members))]


def _walked(graph: nx.DiGraph, start: str | None) -> dict[object, float]:
    """Return how often a walk is at each node, that goes back to `start`, or anywhere, by 15 %."""
    home = {node: float(node == start) if start else 1 / len(graph) for node in graph}
    out = dict(graph.out_degree(weight="weight"))
    at = dict(home)
    for _ in range(100):
        after = {node: 0.15 * home[node] for node in graph}
        for node, share in at.items():
            if not out[node]:
                for other in graph:
                    after[other] += 0.85 * share * home[other]
            for _, other, weight in graph.out_edges(node, data="weight"):
                after[other] += 0.85 * share * weight / out[node]
        moved = sum(abs(after[node] - at[node]) for node in graph)
        at = after
        if moved < 1e-6:
            break
    return at


def pagerank(found: Answers) -> list[float]:
    """Score by PageRank (Page et al., 1999)."""
    graph = _walkable(found)
    graph.remove_node("question")
    return _answers_of(found, _walked(graph, None))


def restart(found: Answers) -> list[float]:
    """Score by a random walk that returns to the question (Tong et al., 2006)."""
    return _answers_of(found, _walked(_walkable(found), "question"))


def hits_authority(found: Answers) -> list[float]:
    """Score by authority (HITS, Kleinberg, 1999), by power iteration."""
    edges = [
        (vote_of, number, weight)
        for number in range(len(found.members))
        for _, vote_of, weight, _ in found.edges(number)
    ]
    authority = [1.0] * len(found.members)
    for _ in range(50):
        hubs: dict[int, float] = defaultdict(float)
        for vote_of, number, weight in edges:
            hubs[vote_of] += weight * authority[number]
        fresh = [0.0] * len(found.members)
        for vote_of, number, weight in edges:
            fresh[number] += weight * hubs[vote_of]
        norm = math.sqrt(sum(a * a for a in fresh)) or 1.0
        authority = [a / norm for a in fresh]
    return authority


def belief(found: Answers) -> list[float]:
    """Score by the belief in an answer and the reliability of votes, each from the other.

    Mean-field inference in the model of truth discovery (Yin et al., 2007; Zhao et al., 2012): a
    vote is reliable as far as what it says is believed; an answer is believed by the reliable
    votes for it, and one answer at most is right.
    """
    said: dict[int, dict[int, float]] = defaultdict(dict)
    for number in range(len(found.members)):
        for _, vote_of, weight, _ in found.edges(number):
            said[vote_of][number] = max(said[vote_of].get(number, 0.0), weight)
    reliable = dict.fromkeys(said, 0.8)
    beliefs = [0.0] * len(found.members)
    for _ in range(20):
        doubt = [0.0] * len(found.members)
        for vote_of, weights in said.items():
            for number, weight in weights.items():
                doubt[number] -= math.log1p(-min(weight * reliable[vote_of], scoring.SURE))
        odds = [math.expm1(min(d, 30.0)) for d in doubt]
        beliefs = [o / (1 + sum(odds)) for o in odds]
        for vote_of, weights in said.items():
            spoken = sum(weights.values())
            held = sum(w * beliefs[n] for n, w in weights.items())
            # Two pseudo-counts of a fairly good source, so that one word does not ruin one.
            reliable[vote_of] = (held + 1.6) / (spoken + 2.0)
    return beliefs


METHODS: dict[str, Method] = {
    "best single score": by_graph(best_single),
    "majority": by_graph(majority),
    "weighted, copies count": by_graph(copies_count),
    "PageRank": by_graph(pagerank),
    "HITS": by_graph(hits_authority),
    "random walk with restart": by_graph(restart),
    "belief": by_graph(belief),
    "weighted": shipped("weighted"),
    "learned": shipped("learned"),
}
TRUSTING = "learned, and trust too"
"""As `learned`, with trust in sources that begins anew with each kind of noise and grows from
question to question."""
WAYS_OF_VOTING = (*METHODS, TRUSTING)


# ── the questions ─────────────────────────────────────────────────────────────────────────────


class Noise(NamedTuple):
    """What is planted for every lookup."""

    way: Way
    k: int
    source: str = ""

    def __str__(self) -> str:
        named = f", source {'named' if self.source else 'unnamed'}" * (self.way == "paraphrases")
        return f"{self.way}{named}, k = {self.k}" if self.k else "clean"


CLEAN = Noise("copies", 0)


class Chains:
    """The questions of a development set, walked along their plans."""

    def __init__(
        self, data: Path, out: Path, name: str, limit: int | None, every: bool = False
    ) -> None:
        self._every = every
        self.questions = load_questions(data / name, limit)
        index = out / f"index-{name}"
        made = EmbeddedIndex.create(index)
        made.index(map(Document.model_validate, read_rows(data / name / "corpus.jsonl")))
        made.close()
        self._store = Store(out / f"lookups-{name}.jsonl", index)
        self._plans = {q.id: _plans(q.question) for q in self.questions}
        self._pool: dict[AnswerType, list[str]] = defaultdict(list)
        self._clean: dict[str, str] = {}
        """What the runner-up way of voting answers to a lookup, where nothing is planted."""
        self._cases: dict[tuple[str, Noise], Lookup] = {}

    def fill_pool(self) -> None:
        """Gather answers of each kind from the corpus: what is read there for other lookups."""
        for question in self.questions:
            self.answer(question, METHODS["weighted"], CLEAN)
        for text, answer in sorted(self._clean.items()):
            kind = self._pool[Asked.of(text).expects]
            if answer not in kind and len(answer) <= 40:
                kind.append(answer)

    def answer(self, question: EvalQuestion, method: Method, noise: Noise) -> str | None:
        """Return the answer that a way of voting comes to; the next plan where one fails."""
        for plan in self._plans[question.id]:
            answer = self._walk(plan, question, method, noise)
            if answer is not None:
                return answer
        return None

    def _walk(self, plan: Plan, question: EvalQuestion, method: Method, noise: Noise) -> str | None:
        last = max(n for n, s in enumerate(plan.steps, 1) if s.kind == "lookup")

        def decide(number: int, text: str) -> str | None:
            here = noise if self._every or number == last else CLEAN
            answer = method(*self.lookup(text, question, here))
            if noise.k == 0 and answer is not None:
                self._clean.setdefault(text, answer)
            return answer

        return walked(plan, question.question, decide)

    def lookup(self, text: str, question: EvalQuestion, noise: Noise) -> Lookup:
        """Return a lookup with its noise; all ways of voting get the same."""
        if (text, noise) not in self._cases:
            asked = Asked.of(text)
            known = [*question.answers, *filter(None, [self._clean.get(text)])]
            pool = self._pool[asked.expects] if noise.k else []
            wrong = wrong_answer(text, known, asked.expects, pool)
            found = with_planted(
                self._store, asked, wrong, noise.way, noise.k, "measure", noise.source
            )
            self._cases[text, noise] = (text, found.hits, found.candidates, asked.expects)
        return self._cases[text, noise]


def _plans(question: str) -> list[Plan]:
    return [*rank(question, by_language(question))[:1], whole(question)]


def measured(chains: Chains, noise: Noise, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return EM and F1 of each way of voting, in percent."""
    found = {}
    for name in names:
        em = overlap = 0.0
        method = trusting() if name == TRUSTING else METHODS[name]
        for question in chains.questions:
            answer = chains.answer(question, method, noise)
            em += exact_match(answer, question.answers)
            overlap += f1(answer, question.answers)
        count = len(chains.questions)
        found[name] = (100 * em / count, 100 * overlap / count)
    return found


def answered(chains: Chains) -> str:
    """Say how a set of one-hop questions fares where weak verdicts are not answered."""
    limit = Limits().enough
    total, kept, said, true = 0.0, 0, [], []
    for question in chains.questions:
        text, hits, candidates, expects = chains.lookup(question.question, question, CLEAN)
        verdict = vote(text, hits, candidates, expects=expects).verdict
        if verdict is None:
            continue
        said.append(verdict.confidence)
        true.append(right(verdict.answer, question.answers))
        if verdict.confidence >= limit:
            kept += 1
            total += f1(verdict.answer, question.answers)
    count = len(chains.questions)
    return (
        f"\nasked as one lookup: {kept} of {count} answered, F1 {100 * total / count:.1f}; "
        f"ECE {100 * ece(said, true):.1f}"
    )


def forget() -> None:
    """Empty the caches of what is known of a text, so that the next vote meets it first."""
    for kept in gc.get_objects():
        if isinstance(kept, functools._lru_cache_wrapper):
            place = str(getattr(kept, "__module__", ""))
            if place.startswith(("graph.", "retrievers.")) and place != scoring.__name__:
                kept.cache_clear()


class Speed(NamedTuple):
    """Median milliseconds of the processor, over passages of which nothing was known."""

    unprepared: float
    """A vote that meets the passages' texts itself."""
    preparing: float
    """`prepare`, which the thread of the reader does."""
    prepared: float
    """The vote after it, as the event loop runs it."""
    again: float
    """The same vote once more."""


def speed(chains: Chains, size: int = 50) -> Speed:
    """Return what a vote over `size` passages takes."""
    lookups = [case for (_, noise), case in chains._cases.items() if noise.k == 0]
    times: list[Speed] = []
    for start in range(0, len(lookups) - 10, 10):
        hits: dict[str, Hit] = {}
        read: dict[str, list[Candidate]] = {}
        for _, some, candidates, _ in lookups[start : start + 10]:
            hits |= {hit.passage.id: hit for hit in some}
            for passage in {hit.passage.id for hit in some}:
                read[passage] = [c for c in candidates if c.passage_id == passage]
        chosen = list(hits.values())[:size]
        if len(chosen) < size:
            continue
        passages = [hit.passage for hit in chosen]
        spoken = [c for hit in chosen for c in read[hit.passage.id]]
        question, _, _, expects = lookups[start]
        decide = functools.partial(vote, question, chosen, spoken, expects=expects)
        forget()
        unprepared = _milliseconds(decide)
        forget()
        preparing = _milliseconds(functools.partial(prepare, passages, spoken))
        times.append(Speed(unprepared, preparing, _milliseconds(decide), _milliseconds(decide)))
    return Speed(*(statistics.median(taken) for taken in zip(*times, strict=True)))


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return 1000 * (time.process_time() - begun)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with the development sets")
    parser.add_argument("out", type=Path, help="folder for indexes, searches and readings")
    parser.add_argument("--limit", type=int, help="only the first N questions of each set")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--noise", type=int, nargs="*", default=[1, 3, 10], help="values of k")
    parser.add_argument("--every", action="store_true", help="plant for every lookup")
    arguments = parser.parse_args()
    chains = {
        name: Chains(arguments.data, arguments.out, name, arguments.limit, arguments.every)
        for name in arguments.sets
    }
    for chain in chains.values():
        chain.fill_pool()
    noises = [CLEAN]
    for way in WAYS:
        for source in ("", "planted.example") if way == "paraphrases" else ("",):
            noises += [Noise(way, k, source) for k in arguments.noise]
    print("F1 (EM)\n")
    print("| noise | set | " + " | ".join(WAYS_OF_VOTING) + " |")
    print("|---|---|" + "---|" * len(WAYS_OF_VOTING))
    for noise in noises:
        for name, chain in chains.items():
            found = measured(chain, noise, WAYS_OF_VOTING)
            cells = " | ".join(f"{overlap:.1f} ({em:.0f})" for em, overlap in found.values())
            print(f"| {noise} | {name} | {cells} |", flush=True)
    if "cmrc2018" in chains:
        print(answered(chains["cmrc2018"]))
    for name, chain in chains.items():
        took = speed(chain)
        print(
            f"\n{name}: a vote over 50 passages takes {took.prepared:.1f} ms, "
            f"{took.again:.1f} again; preparing them takes {took.preparing:.1f}, "
            f"a vote without that {took.unprepared:.1f}"
        )


if __name__ == "__main__":
    main()
