"""The embedded index on disk: incremental, whole after any end, clear when it cannot go on."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from retrievers import embedded, indexing
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import MiniLMEncoder
from retrievers.errors import IndexFormatError, IndexNotFoundError, IndexWriteError
from retrievers.fusion import fused_hits
from retrievers.index_file import FILE
from retrievers.loaders import LoadFailure
from retrievers.passage import Hit

TOWNS = ("Ulm", "Lyon", "Porto", "Ghent", "Turku", "Brno", "Graz", "Cork", "Bergen", "Split")


def towns(mayor: str = "Roe") -> list[Document]:
    return [
        Document(id=town, title=town, text=f"{town} has a mayor called {mayor}.") for town in TOWNS
    ]


@pytest.fixture
def index(tmp_path: Path, encoder: MiniLMEncoder) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex.create(tmp_path / "index", encoder)
    yield opened
    opened.close()


async def best(index: EmbeddedIndex, query: str) -> str:
    [hits] = await index.search([query], k=1)
    return hits[0].passage.text if hits else ""


# ── incremental ───────────────────────────────────────────────────────────────────────────────


async def test_second_run_over_the_same_documents_writes_and_encodes_nothing(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index.index(towns())
    monkeypatch.setattr(indexing, "encoded", None)  # calling it would raise
    second = index.index(towns())

    assert (first.added, first.passages) == (10, 10)
    assert (second.added, second.changed, second.unchanged, second.passages) == (0, 0, 10, 10)


async def test_changed_document_replaces_the_old_one(index: EmbeddedIndex) -> None:
    index.index(towns())
    changed = [*towns()[:-1], Document(id="Split", title="Split", text="Split has a palace.")]
    report = index.index(changed)

    assert (report.changed, report.unchanged, report.passages) == (1, 9, 10)
    assert await best(index, "Split") == "Split has a palace."


async def test_document_that_became_shorter_leaves_no_passage_behind(index: EmbeddedIndex) -> None:
    long = Document(id="d", text="A sentence about nothing in particular. " * 60)
    assert index.index([long]).passages > 2
    assert [p.id for p in await index.get(["d", "d#1"])] == ["d#1"]

    assert index.index([Document(id="d", text="Short.")]).passages == 1
    assert [p.id for p in await index.get(["d", "d#1"])] == ["d"]


async def test_deleted_documents_are_found_no_more(index: EmbeddedIndex) -> None:
    index.index(towns())

    assert index.delete(["Ulm", "Lyon", "nowhere"]) == 2
    assert index.passages() == 8
    assert await index.get(["Ulm"]) == []
    [hits] = await index.search(["Ulm"], k=10)
    assert "Ulm" not in {hit.passage.id for hit in hits}


def test_prune_deletes_what_is_gone_but_not_after_a_failure(index: EmbeddedIndex) -> None:
    index.index(towns())
    failure = LoadFailure(place="a.pdf", reason="is not a readable PDF")

    assert index.index([*towns()[:3], failure], prune=True).deleted == 0
    assert index.index(towns()[:3], prune=True).deleted == 7
    assert index.passages() == 3


def test_same_id_with_another_text_is_reported_and_the_first_one_wins(
    index: EmbeddedIndex,
) -> None:
    first = Document(id="a", text="The first.", file="one.jsonl:1")
    copy = Document(id="a", text="The first.", file="two.jsonl:1")
    other = Document(id="a", text="The second.", file="two.jsonl:2")
    report = index.index([first, copy, other])

    assert report.added == 1
    assert [str(f) for f in report.failed] == [
        "two.jsonl:2: another document has the id 'a': the first one is kept"
    ]
    assert index.index([first]).unchanged == 1


def test_document_called_like_a_passage_of_another_is_reported(index: EmbeddedIndex) -> None:
    long = Document(id="a", text="A sentence about nothing in particular. " * 60)
    clash = Document(id="a#1", text="Not a part of a.")
    report = index.index([long, clash, Document(id="b", text="Fine.")])

    assert report.added == 2
    assert "'a#1'" in report.failed[0].reason and "'a'" in report.failed[0].reason
    assert index.index([clash]).failed[0].place == "a#1"


async def test_async_wrapper_reports_progress_in_documents(index: EmbeddedIndex) -> None:
    seen: list[int] = []
    report = await index.aindex(iter(towns()), progress=seen.append)

    assert report.added == 10
    assert seen[-1] == 10 and seen == sorted(seen)


# ── readers beside a writer ───────────────────────────────────────────────────────────────────


async def test_search_does_not_wait_for_an_indexing_run(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 4)
    halfway, go_on = threading.Event(), threading.Event()

    def documents() -> Iterator[Document]:
        yield from towns()[:6]
        halfway.set()
        go_on.wait(30)
        yield from towns()[6:]

    run = threading.Thread(target=index.index, args=(documents(),))
    run.start()
    try:
        assert halfway.wait(30)
        # Only the first batch of four is committed; the run is stopped in the middle.
        assert await index.count() == 4
        assert await best(index, "Ulm mayor") == "Ulm has a mayor called Roe."
    finally:
        go_on.set()
        run.join()
    assert await index.count() == 10
    assert await best(index, "Split mayor") == "Split has a mayor called Roe."


async def test_open_reader_sees_what_another_index_object_wrote(
    index: EmbeddedIndex, encoder: MiniLMEncoder
) -> None:
    index.index(towns()[:1])
    reader = EmbeddedIndex.open(index.folder, encoder)
    await reader.search(["Lyon"])
    index.index(towns())

    [[hit, *_]] = await reader.search(["mayor of Lyon"])
    assert (hit.passage.id, hit.dense_rank) == ("Lyon", 0)
    await reader.aclose()


async def test_search_sees_one_state_though_a_passage_vanishes_in_its_middle(
    index: EmbeddedIndex, encoder: MiniLMEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.index(towns())
    other = EmbeddedIndex.open(index.folder, encoder)

    def vanish_then_fuse(*rankings: Any) -> list[Hit]:
        other.delete(["Ulm"])
        return fused_hits(*rankings)

    monkeypatch.setattr(embedded, "fused_hits", vanish_then_fuse)
    [[hit, *_]] = await index.search(["Ulm"])
    assert hit.passage.id == "Ulm"
    [hits] = await index.search(["Ulm"])
    assert "Ulm" not in {hit.passage.id for hit in hits}
    other.close()


# ── killed, full, broken ──────────────────────────────────────────────────────────────────────

_CHILD = """
import os, resource, signal, sys
sys.path.insert(0, {root!r})
from retrievers import indexing
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.errors import IndexWriteError

indexing.BATCH = 4
documents = [
    Document(id=str(i), title=f"Town {{i}}", text=f"Town {{i}} has a mayor. " + "x" * {pad})
    for i in range(20)
]
index = EmbeddedIndex.create({folder!r})
"""
_KILLED = """
add, added = indexing._add, 0
def killing(*args):
    global added
    add(*args)
    added += 1
    if added == 10:  # in the middle of the third batch's transaction
        os.kill(os.getpid(), signal.SIGKILL)
indexing._add = killing
index.index(documents)
"""
_FULL = """
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    index.index(documents)
except IndexWriteError as error:
    print(error)
    sys.exit(7)
"""
ROOT = str(Path(__file__).parents[2])


def _run(script: str, folder: Path, pad: int = 0) -> subprocess.CompletedProcess[str]:
    source = _CHILD.format(root=ROOT, folder=str(folder), pad=pad) + textwrap.dedent(script)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


def _whole(folder: Path) -> bool:
    """Return whether SQLite and FTS5 find the file sound, with terms for exactly its passages."""
    db = sqlite3.connect(folder / FILE)
    try:
        db.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
        [sound] = db.execute("PRAGMA integrity_check").fetchone()
        rows = "SELECT (SELECT count(*) FROM terms), (SELECT count(*) FROM passages)"
        [terms, passages] = db.execute(rows).fetchone()
        return bool(sound == "ok" and terms == passages)
    finally:
        db.close()


def _towns_of_child(pad: int = 0) -> list[Document]:
    return [
        Document(id=str(i), title=f"Town {i}", text=f"Town {i} has a mayor. " + "x" * pad)
        for i in range(20)
    ]


async def test_killed_in_the_middle_of_a_batch_leaves_whole_batches_that_a_rerun_completes(
    tmp_path: Path, encoder: MiniLMEncoder
) -> None:
    child = _run(_KILLED, tmp_path)
    assert child.returncode == -signal.SIGKILL, child.stderr

    index = EmbeddedIndex.open(tmp_path, encoder)
    assert index.passages() == 8
    assert _whole(tmp_path)
    report = index.index(_towns_of_child())
    assert (report.unchanged, report.added, report.passages) == (8, 12, 20)
    assert await best(index, "town 19") == "Town 19 has a mayor. "
    index.close()


def test_file_that_may_not_grow_is_told_and_what_was_indexed_stays(
    tmp_path: Path, encoder: MiniLMEncoder
) -> None:
    child = _run(_FULL, tmp_path, pad=1000)
    assert child.returncode == 7, child.stderr
    assert "could not be written" in child.stdout and "free space" in child.stdout

    index = EmbeddedIndex.open(tmp_path, encoder)
    kept = index.passages()
    assert 0 < kept < 20 and kept % 4 == 0
    assert _whole(tmp_path)
    report = index.index(_towns_of_child(pad=1000))
    assert (report.unchanged, report.passages) == (kept, 20)
    index.close()


async def test_full_disk_is_told_and_the_index_still_answers(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 4)
    index.index(towns()[:4])
    db = index._writing_db()
    [pages] = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    wordy = [Document(id=f"w{i}", text=" ".join(f"w{i}x{j}" for j in range(150))) for i in range(9)]

    with pytest.raises(IndexWriteError, match=r"disk is full.*intact: free space"):
        index.index(wordy)

    assert await best(index, "Ulm") == "Ulm has a mayor called Roe."
    db.execute("PRAGMA max_page_count = 1000000")
    assert index.index(wordy).passages == 13
    assert _whole(index.folder)


def test_failed_document_source_leaves_finished_batches_and_an_index_to_go_on_with(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 4)

    def interrupted() -> Iterator[Document]:
        yield from towns()[:6]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.index(interrupted())
    assert index.passages() == 4
    assert index.index(towns()).added == 6


def test_missing_index_names_the_folder_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="hoptree index FILES") as caught:
        EmbeddedIndex.open(tmp_path / "none")

    assert str(tmp_path / "none") in str(caught.value)
    assert not (tmp_path / "none").exists()


def test_file_that_is_no_database_is_not_taken_for_an_index(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"%PDF-1.7 not a database at all\n" * 200)

    for opened in (EmbeddedIndex.open, EmbeddedIndex.create):
        with pytest.raises(IndexFormatError, match="is not a hoptree index"):
            opened(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"%PDF")


def test_other_version_is_refused_with_the_remedy(index: EmbeddedIndex) -> None:
    index.close()
    db = sqlite3.connect(index.folder / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(IndexFormatError, match=r"format 99.*index again"):
        EmbeddedIndex.open(index.folder)


async def test_damaged_file_is_told(index: EmbeddedIndex, encoder: MiniLMEncoder) -> None:
    index.index(towns())
    index.close()
    file = index.folder / FILE
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)

    reopened = EmbeddedIndex.open(index.folder, encoder)
    with pytest.raises(IndexFormatError, match=r"damaged.*index again"):
        await reopened.search(["Ulm"])
    reopened.close()


def test_empty_file_left_by_a_kill_becomes_an_index(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    index = EmbeddedIndex.open(tmp_path)

    assert index.passages() == 0
    index.close()


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(IndexWriteError, match="cannot make an index"):
        EmbeddedIndex.create(tmp_path / "file" / "index")


def test_several_may_make_the_same_index_at_once(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def create() -> None:
        try:
            EmbeddedIndex.create(tmp_path / "index").close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


class FakeWideEncoder:
    """Another model, as far as an index can tell: its vectors are longer."""

    dimensions = 500

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.full((len(texts), 500), 500**-0.5, dtype=np.float32)


async def test_index_of_another_encoder_is_refused(index: EmbeddedIndex) -> None:
    index.index(towns())
    other = EmbeddedIndex.open(index.folder, FakeWideEncoder())

    with pytest.raises(IndexFormatError, match="another encoder"):
        await other.search(["Ulm"])
    other.close()


async def test_closed_index_says_so(index: EmbeddedIndex) -> None:
    await index.aclose()

    with pytest.raises(IndexFormatError, match="was closed"):
        await index.search(["Ulm"])
    with pytest.raises(IndexFormatError, match="was closed"):
        index.index(towns())
