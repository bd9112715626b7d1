"""How far each source of an index is trusted: what was learned and what a person set.

One JSON file an index, beside it: in the folder of an embedded one, else in hoptree's own folder.
Two processes that learn at once lose what one of them saw; what is written is always whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import SourcesError
from agent.settings import data_dir
from graph.events import Answered, Event, Retrieved, Voted
from graph.support import trust
from graph.support.independence import source_of
from graph.types import StepResult, Voting
from retrievers.passage import Retriever

FILE = "sources.json"
MOST = 10_000
"""Sources that are kept; of more those are forgotten of which the least was seen."""
_log = logging.getLogger("hoptree")
_writing = threading.Lock()


class Sources(BaseModel):
    """The file `sources.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    given: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """What a person set, by the name of the source."""
    learned: dict[str, trust.Record] = Field(default_factory=dict)

    def trusts(self) -> dict[str, float]:
        """Return how far each source is trusted, in [0, 1]."""
        return trust.trust(self.learned, self.given)


def file_of(retriever: Retriever | None) -> Path | None:
    """Return where the trust in the sources of an index is kept.

    None for an index that has neither a folder nor an address by which it is known again.
    """
    folder = getattr(retriever, "folder", None)
    if folder is not None:
        return Path(folder) / FILE
    address = getattr(retriever, "address", None)
    if address is None:
        return None
    name = hashlib.sha256(str(address).encode()).hexdigest()[:16]
    return data_dir() / "sources" / f"{name}.json"


def read(file: Path) -> Sources:
    """Return what is known of the sources; nothing where there is no file.

    Raises
    ------
    SourcesError
        Where the file cannot be read, or is not one of ours.
    """
    try:
        return Sources.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Sources()
    except OSError as error:
        raise SourcesError(
            f"the trust in sources, {file}, cannot be read: {error.strerror}"
        ) from error
    except ValidationError as error:
        raise SourcesError(
            f"the trust in sources, {file}, is broken: repair it, or begin anew with "
            "`hoptree sources --forget`"
        ) from error


def write(file: Path, sources: Sources) -> None:
    """Replace the file at once, whole: a kill leaves the old one or the new one.

    Raises
    ------
    SourcesError
        Where it cannot be written.
    """
    learned = sources.learned
    if len(learned) > MOST:
        best = sorted(learned, key=lambda name: (-learned[name].seen, name))[:MOST]
        learned = {name: learned[name] for name in learned if name in set(best)}
    text = Sources(given=sources.given, learned=learned).model_dump_json(indent=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as fresh:
                fresh.write(text + "\n")
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SourcesError(
            f"the trust in sources, {file}, cannot be written: {error.strerror}"
        ) from error


def give(file: Path, given: Mapping[str, float]) -> Sources:
    """Set how far sources are trusted, and return what is known of all.

    Raises
    ------
    SourcesError
        Where the file cannot be read or written.
    """
    with _writing:
        known = read(file)
        known = known.model_copy(update={"given": known.given | dict(given)})
        write(file, known)
    return known


def forget(file: Path) -> None:
    """Forget what was learned and what was set.

    Raises
    ------
    SourcesError
        Where the file cannot be removed.
    """
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise SourcesError(
            f"the trust in sources, {file}, cannot be removed: {error.strerror}"
        ) from error


def trusting(voting: Voting, file: Path | None) -> Voting:
    """Return the voting with the trust that is kept; what the settings say of a source stands.

    Without `voting.learn` only what a person set is taken. A file that cannot be used is told of,
    and nobody is trusted less for it.
    """
    if file is None:
        return voting
    try:
        known = read(file)
    except SourcesError as error:
        _log.warning("%s; this time no source is trusted less", error)
        return voting
    kept = known.trusts() if voting.learn else known.given
    return voting.model_copy(update={"sources": kept | voting.sources})


async def learning(
    events: AsyncGenerator[Event, None], file: Path | None, before: Sequence[Event] = ()
) -> AsyncGenerator[Event, None]:
    """Yield the events of a run; when it has its answer, learn from what was voted on in it.

    `before` are the events that the run told before it was resumed.

    A verdict that was only remembered, or inherited by a fork, teaches nothing again. What cannot
    be kept is told of, and the answer is given all the same.
    """
    told = list(before)
    async with contextlib.aclosing(events):
        async for event in events:
            told.append(event)
            if isinstance(event, Answered) and file is not None:
                await asyncio.to_thread(_learn, file, _lessons(told))
            yield event


def _lessons(events: Sequence[Event]) -> list[dict[str, trust.Record]]:
    sources: dict[str, str] = {}
    results: dict[str, StepResult] = {}
    for event in events:
        match event:
            case Retrieved():
                found = [hit.passage for hits in event.hits for hit in hits]
                sources |= {passage.id: source_of(passage) for passage in found}
            case Voted() if not event.remembered:
                results[event.result.question] = event.result
    return [trust.lessons(result, sources) for result in results.values()]


def _learn(file: Path, seen: list[dict[str, trust.Record]]) -> None:
    if not any(set(lessons) - {trust.UNNAMED} for lessons in seen):
        return  # no source is named: there is none to trust less
    try:
        with _writing:
            known = read(file)
            write(
                file,
                Sources(given=known.given, learned=trust.together(known.learned, seen)),
            )
    except SourcesError as error:
        _log.warning("%s; what this run taught about its sources is lost", error)
