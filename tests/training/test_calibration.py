"""The training of the learned scorer: its gradient, and that it trains what the vote computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph.support import scoring, voting
from graph.support.building import support_graph
from graph.types import AnswerType, Candidate
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.passage import Hit
from training.calibration.examples import Case, arrays
from training.calibration.fit import Net, fitted, loss, shipped
from training.calibration.lookups import Asked, Store
from training.calibration.planting import WAYS, Way, planted

QUESTION = "When was Ada Byron born?"
ASKED = Asked(
    id="1", language="en", kind="", question=QUESTION, answers=("10 December 1815",), seen=False
)


def read(hit: Hit, answer: str, score: float) -> list[Candidate]:
    start = hit.passage.text.find(answer)
    if start < 0:
        return []
    end = start + len(answer)
    said = {"text": answer, "start": start, "end": end, "score": score, "no_answer": 0.3}
    return [Candidate.model_validate({"passage_id": hit.passage.id, **said})]


def lookup(way: Way) -> Case:
    """Return a lookup in which three passages tell the wrong answer and one other the right one."""
    hits = [Hit(passage=p, score=1.0) for p in planted(QUESTION, "3 May 1901", way, 3, "train")]
    [right] = planted(QUESTION, "10 December 1815", "independent", 1, "measure")
    hits.append(Hit(passage=right, score=0.7))
    candidates = [c for n, h in enumerate(hits) for c in read(h, "3 May 1901", 0.9 - 0.2 * n)]
    candidates += read(hits[-1], "10 December 1815", 0.6)
    assert len(candidates) == 4
    return Case(ASKED, hits, candidates, f"{way} 3")


CASES = [lookup(way) for way in WAYS]


@pytest.fixture
def net() -> Net:
    chance = np.random.default_rng(3)
    features = arrays(CASES).features.shape[1]
    return Net(
        chance.normal(0, 0.5, (features, 4)),
        chance.normal(0, 0.1, 4),
        chance.normal(0, 0.5, 4),
        np.array([-0.5]),
    )


def test_the_gradient_is_that_of_the_loss(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.calibration.fit.DECAY", 0.0)
    data = arrays(CASES)
    _, gradient = loss(net, data)
    step = 1e-6
    for values, slopes in zip(net, gradient, strict=True):
        for place in np.ndindex(*values.shape):
            kept = values[place]
            values[place] = kept + step
            above, _ = loss(net, data)
            values[place] = kept - step
            below, _ = loss(net, data)
            values[place] = kept
            assert slopes[place] == pytest.approx((above - below) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=WAYS)
def test_what_is_trained_is_what_the_vote_computes(case: Case, net: Net) -> None:
    scorer = scoring.Learned(shipped(net, ""))
    graph = support_graph(QUESTION, case.hits, case.candidates, AnswerType.DATE)
    found = voting.clusters(graph, scorer)
    odds = [cluster.strength / (1 - cluster.strength) for cluster in found]
    [right] = [
        o for o, cluster in zip(odds, found, strict=True) if cluster.text == "10 December 1815"
    ]
    value, _ = loss(net, arrays([case]))
    assert value == pytest.approx(np.log(1 + sum(odds)) - np.log(right), abs=1e-3)


def test_paraphrases_and_copies_are_one_vote_and_independent_passages_are_not() -> None:
    votes = {way: len(set(arrays([lookup(way)]).vote.tolist())) for way in WAYS}
    assert votes == {"paraphrases": 2, "copies": 2, "independent": 4}


def test_a_curve_makes_a_wrong_probability_right() -> None:
    chance = np.random.default_rng(1)
    said = chance.uniform(0.05, 0.95, 2000)
    true = chance.uniform(size=2000) < said**2 / (said**2 + (1 - said) ** 2)
    curve = fitted(said, true)
    assert curve.slope == pytest.approx(2, abs=0.2)
    assert curve.shift == pytest.approx(0, abs=0.2)


def test_what_was_looked_up_is_kept_but_for_a_line_that_a_kill_cut(tmp_path: Path) -> None:
    made = EmbeddedIndex.create(tmp_path / "index")
    made.index([Document(id="ada", text="Ada Byron was born on 10 December 1815.")])
    made.close()
    first = Store(tmp_path / "lookups.jsonl", tmp_path / "index")
    hits = first.search(QUESTION, 1)
    [file] = tmp_path.glob("lookups-*.jsonl")
    whole = file.read_bytes()
    with file.open("ab") as kept:
        kept.write(b'{"question": "Wh')
    again = Store(tmp_path / "lookups.jsonl", tmp_path / "index")
    assert file.read_bytes() == whole
    assert again.search(QUESTION, 1) == hits
    assert file.read_bytes() == whole
