"""Trust in sources from run to run: learned, kept beside the index, shown and set by a command."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hoptree_command import Hoptree

from agent import sources
from agent.errors import SourcesError
from graph.events import Answered, Event, Retrieved, RunStarted, Voted
from graph.support import vote
from graph.support.trust import Record
from graph.types import Candidate, Voting
from retrievers.passage import Hit, Passage

QUESTION = "Who directed the film Ikarie XB-1?"
TEXTS = [
    ("a", "The picture was directed by Jan Polák and shot in Prague during one wet spring."),
    ("b", "Critics praised Jan Polák for a cold, elegant vision of deep space travel."),
    ("c", "An archive lists Jan Polák as the sole director; the score is by Zdeněk Liška."),
    ("liar", "Festival programmes from Trieste name Eva Nová next to the golden asteroid prize."),
]


def told(*, remembered: bool = False) -> list[Event]:
    """Return the events of a run of one vote, in which three sources contradict a fourth."""
    hits, read = [], []
    for number, (source, text) in enumerate(TEXTS):
        name = "Jan Polák" if "Polák" in text else "Eva Nová"
        hits.append(Hit(passage=Passage(id=f"p{number}", text=text, source=source), score=1.0))
        start = text.index(name)
        end = start + len(name)
        read.append(
            Candidate(
                passage_id=f"p{number}", text=name, start=start, end=end, score=0.9, no_answer=0.1
            )
        )
    result = vote(QUESTION, hits, read, voting=Voting(scoring="weighted"))
    return [
        RunStarted(run="r", question=QUESTION, language="en", settings={}),
        Retrieved(queries=(QUESTION,), hits=(tuple(hits),), seconds=0.1),
        Voted(step=1, result=result, remembered=remembered),
        Answered(
            status="answered",
            answer="Jan Polák",
            text="",
            confidence=0.9,
            citations=(),
            passages=(),
        ),
    ]


async def run(file: Path | None, events: list[Event], before: int = 0) -> None:
    async def going() -> AsyncGenerator[Event, None]:
        for event in events[before:]:
            yield event

    async for _ in sources.learning(going(), file, events[:before]):
        pass


async def test_a_run_teaches_who_agreed_and_who_did_not(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    for _ in range(8):
        await run(file, told())
    known = sources.read(file)
    assert known.learned["a"].agreed > 0 == known.learned["a"].disagreed
    assert known.learned["liar"].seen == 8
    assert known.trusts()["liar"] < 0.5 < known.trusts()["a"]


async def test_a_run_that_goes_on_learns_from_all_of_it(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    await run(whole, told())
    await run(parts, told(), before=3)
    assert sources.read(parts) == sources.read(whole)


async def test_nothing_is_learned_from_what_was_remembered_nor_without_an_answer(
    tmp_path: Path,
) -> None:
    file = tmp_path / "sources.json"
    await run(file, told(remembered=True))
    await run(file, told()[:-1])
    await run(None, told())
    assert not file.exists()


async def test_a_broken_file_is_told_of_and_the_answer_given(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "sources.json"
    file.write_text('{"learned": {"a": 3', encoding="utf-8")
    with pytest.raises(SourcesError, match="is broken: repair it, or begin anew"):
        sources.read(file)
    with caplog.at_level(logging.WARNING):
        assert sources.trusting(Voting(), file) == Voting()
        await run(file, told())
    assert len(caplog.messages) == 2
    assert file.read_text(encoding="utf-8") == '{"learned": {"a": 3'


async def test_a_folder_that_cannot_be_written_costs_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    await run(tmp_path / "file" / "sources.json", told())
    assert "is lost" in caplog.messages[0]


def test_the_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    for value in (0.2, 0.3):
        sources.give(file, {"a": value})
    assert sources.read(file).given == {"a": 0.3}
    assert list(tmp_path.iterdir()) == [file]


def test_of_too_many_sources_those_least_seen_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST", 2)
    learned = {name: Record(seen=seen) for name, seen in (("a", 3), ("b", 1), ("c", 2))}
    sources.write(tmp_path / "f.json", sources.Sources(learned=learned))
    assert set(sources.read(tmp_path / "f.json").learned) == {"a", "c"}


def test_the_settings_stand_before_what_is_kept_and_learning_can_be_off(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    lies = Record(seen=50, disagreed=50)
    sources.write(file, sources.Sources(given={"b": 0.5, "c": 0.5}, learned={"a": lies, "b": lies}))
    voting = sources.trusting(Voting(sources={"c": 0.9}), file)
    assert voting.sources["a"] < 0.5
    assert (voting.sources["b"], voting.sources["c"]) == (0.5, 0.9)
    unlearned = sources.trusting(Voting(sources={"c": 0.9}, learn=False), file)
    assert unlearned.sources == {"b": 0.5, "c": 0.9}


def test_an_index_without_a_place_has_no_file() -> None:
    assert sources.file_of(None) is None


def shown(hoptree: Hoptree, *args: str | Path) -> dict[str, Any]:
    told = hoptree("sources", "--json", *args)
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout))


def test_the_command_sets_shows_and_forgets(hoptree: Hoptree, sample_index: Path) -> None:
    where = ("--index", sample_index)
    assert "Nothing is known" in hoptree("sources", *where).stdout
    assert shown(hoptree, *where, "--set", "gossip.example=0.2")["trust"] == {"gossip.example": 0.2}
    table = hoptree("sources", *where).stdout
    assert "gossip.example" in table and "0.20, set by you" in table
    assert shown(hoptree, *where, "--forget")["trust"] == {}
    assert not (sample_index / sources.FILE).exists()


@pytest.mark.parametrize("given", ["gossip.example", "gossip.example=2", "=0.5", "a=much"])
def test_a_trust_that_is_none_is_told(hoptree: Hoptree, given: str) -> None:
    told = hoptree("sources", "--set", given)
    assert told.returncode == 2
    assert "--set takes SOURCE=TRUST with a trust from 0 to 1" in told.stderr
    assert len(told.stderr.splitlines()) <= 2


def test_the_command_tells_of_a_broken_file_and_forgets_it(
    hoptree: Hoptree, sample_index: Path
) -> None:
    (sample_index / sources.FILE).write_text("[]")
    told = hoptree("sources", "--index", sample_index)
    assert told.returncode == 4
    assert "begin anew" in told.stderr and "Traceback" not in told.stderr
    assert hoptree("sources", "--index", sample_index, "--forget").returncode == 0


def test_without_an_index_there_is_none_to_trust(hoptree: Hoptree) -> None:
    told = hoptree("sources")
    assert told.returncode == 2
    assert "there is no index yet" in told.stderr
