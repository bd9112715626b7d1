"""The evaluation: rows, figures, going on after a stop; and `hoptree eval` as a process."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hoptree_command import Hoptree
from rich.console import Console

from agent import benchmark
from agent.errors import EvaluationError, ModelFileError
from agent.evaluation import (
    EvalQuestion,
    EvalRow,
    EvalSummary,
    RowLog,
    SystemAnswer,
    evaluate,
    fingerprint,
    load_questions,
    render,
    summarise,
)
from agent.sample import questions_path
from agent.settings import Settings
from graph.types import Limits
from retrievers.embedded import EmbeddedIndex
from retrievers.errors import IndexNotFoundError

SAMPLE = questions_path().parent
SHARED = Path(__file__).parents[3] / "shared" / "data"
QUESTIONS = [
    EvalQuestion(
        id="a",
        question="Who wrote Hamlet?",
        answer="William Shakespeare",
        aliases=("Shakespeare",),
        type="bridge",
        hops=2,
        supporting_passages=("p1", "p2"),
    ),
    EvalQuestion(id="b", question="Older?", answer="yes", type="comparison", hops=2),
    EvalQuestion(id="c", question="Where?", answer="New York City", type="bridge", hops=3),
    EvalQuestion(id="d", question="Nothing?", answer="", answerable=False, type="none"),
]


class Counting:
    """Answers from a table, counts what it is asked, and raises what stands there instead."""

    def __init__(self, **answers: str | BaseException | None) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def answer(self, question: str) -> SystemAnswer:
        self.asked.append(question)
        [known] = [q.id for q in QUESTIONS if q.question == question]
        said = self.answers.get(known, "something else")
        if isinstance(said, BaseException):
            raise said
        return SystemAnswer(
            answer=said,
            passages=["p2", "p9"],
            prompt_tokens=10,
            output_tokens=2,
            seconds=0.5,
            extra={"tree": {"paths": [known]}},
        )


async def run(
    system: Counting, out: Path | None = None, name: str = "fake", **settings: Any
) -> EvalSummary:
    return await evaluate(system, QUESTIONS, name=name, dataset="set", settings=settings, out=out)


def rows(path: Path) -> list[EvalRow]:
    with path.open("rb") as lines:
        return [EvalRow.model_validate_json(line) for line in lines if line.strip()]


# ── scores ────────────────────────────────────────────────────────────────────────────────────


async def test_rows_hold_the_scores_and_all_that_was_said(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "rows.jsonl"
    await run(Counting(a="shakespeare.", b="no", c="the city", d=None), out)
    written = {row.id: row for row in rows(out)}

    assert list(written) == ["a", "b", "c", "d"]
    assert [row.em for row in written.values()] == [1.0, 0.0, 0.0, 1.0]
    assert [row.f1 for row in written.values()] == pytest.approx([1.0, 0.0, 0.5, 1.0])
    assert [row.recall_at_5 for row in written.values()] == [0.5, None, None, None]
    assert [row.status for row in written.values()] == ["answered"] * 3 + ["abstained"]
    first = written["a"]
    assert (first.prediction, first.answer, first.aliases) == (
        "shakespeare.",
        "William Shakespeare",
        ("Shakespeare",),
    )
    assert (first.passages, first.extra) == (("p2", "p9"), {"tree": {"paths": ["a"]}})
    assert (first.prompt_tokens, first.output_tokens, first.seconds) == (10, 2, 0.5)


async def test_the_summary_averages_over_all_questions(tmp_path: Path) -> None:
    system = Counting(a="Shakespeare", b=ValueError("\ud83d broken"), c="the city", d="a guess")
    out = tmp_path / "rows.jsonl"
    summary = await run(system, out)

    assert (summary.system, summary.dataset, summary.n) == ("fake", "set", 4)
    assert (summary.em, summary.f1, summary.recall_at_5) == (25.0, 37.5, 50.0)
    assert (summary.answered, summary.abstained, summary.errors) == (3, 0, 1)
    assert summary.f1_by_type["bridge"].f1 == 75.0 and summary.f1_by_type["bridge"].n == 2
    assert {hops: part.n for hops, part in summary.f1_by_hops.items()} == {1: 1, 2: 2, 3: 1}
    assert (summary.prompt_tokens_per_question, summary.tokens_per_question) == (10, 12)
    assert summary == summarise(rows(out), system="fake", dataset="set")
    [failed] = [row for row in rows(out) if row.status == "error"]
    assert failed.error == "ValueError: ? broken"


def test_the_summary_of_nothing_is_zero() -> None:
    summary = summarise([], system="fake")
    assert (summary.n, summary.em, summary.recall_at_5, summary.p95_seconds) == (0, 0, None, 0)


async def test_the_table_has_a_column_a_system(tmp_path: Path) -> None:
    file = io.StringIO()
    summaries = [await run(Counting(a="Shakespeare"), name=name) for name in ("one", "two")]
    Console(file=file, width=120).print(render(summaries))
    table = file.getvalue()
    assert "one" in table and "two" in table
    assert table.count("25.0") >= 2  # EM
    for label in ("EM", "F1", "recall@5", "F1, bridge", "F1, 3 hops", "answered / abstained"):
        assert label in table


# ── going on ──────────────────────────────────────────────────────────────────────────────────


def interrupted(system: Counting, out: Path) -> None:
    """Run until the system raises KeyboardInterrupt, as Ctrl-C does."""
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run(system, out))


async def test_a_run_that_was_stopped_asks_only_what_remains(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    await asyncio.to_thread(interrupted, Counting(a="Shakespeare", c=KeyboardInterrupt()), out)
    before = out.read_bytes()
    assert [row.id for row in rows(out)] == ["a", "b"]

    resumed = Counting(a="never asked", c="New York City")
    summary = await run(resumed, out)
    assert resumed.asked == ["Where?", "Nothing?"]
    assert out.read_bytes().startswith(before)
    assert (summary.n, summary.em) == (4, 50.0)

    done = Counting()
    assert await run(done, out) == summary
    assert done.asked == []


async def test_a_run_that_was_cancelled_keeps_its_rows(tmp_path: Path) -> None:
    with pytest.raises(asyncio.CancelledError):
        await run(Counting(b=asyncio.CancelledError()), tmp_path / "rows.jsonl")
    assert [row.id for row in rows(tmp_path / "rows.jsonl")] == ["a"]


@pytest.mark.parametrize("torn", [b'{"system": "fake", "finge', b'{"id": "\xe9', b"{", b"  "])
async def test_a_torn_last_row_is_cut_off_and_asked_again(tmp_path: Path, torn: bytes) -> None:
    out = tmp_path / "rows.jsonl"
    await asyncio.to_thread(interrupted, Counting(c=KeyboardInterrupt()), out)
    with out.open("ab") as file:
        file.write(torn)

    resumed = Counting()
    await run(resumed, out)
    assert resumed.asked == ["Where?", "Nothing?"]
    assert [row.id for row in rows(out)] == ["a", "b", "c", "d"]


async def test_a_last_row_without_its_line_end_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    await run(Counting(), out)
    out.write_bytes(out.read_bytes()[:-1])
    resumed = Counting()
    await run(resumed, out)
    assert resumed.asked == []
    assert len(rows(out)) == 4


async def test_a_broken_row_in_the_middle_is_named(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text('{"id": 1}\n{}\n')
    with pytest.raises(EvaluationError, match=r"rows\.jsonl, line 1 is no result .*remove"):
        await run(Counting(), out)


async def test_rows_of_other_settings_are_asked_anew_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    await run(Counting(), out, model="one")
    for name, settings in (("fake", {"model": "two"}), ("other", {"model": "one"})):
        system = Counting()
        await run(system, out, name, **settings)
        assert len(system.asked) == 4
    assert len(rows(out)) == 12


async def test_errors_are_asked_again_where_that_is_wanted(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    await run(Counting(b=OSError("down")), out)
    kept, again = Counting(), Counting(b="yes")
    assert (await run(kept, out)).errors == 1
    summary = await evaluate(again, QUESTIONS, name="fake", out=out, retry_errors=True)
    assert kept.asked == [] and again.asked == ["Older?"]
    assert summary.errors == 0


async def test_progress_begins_with_what_is_known(tmp_path: Path) -> None:
    told: list[tuple[int, int, float]] = []

    def tell(done: int, total: int, em: float, f1: float) -> None:
        told.append((done, total, em))

    out = tmp_path / "rows.jsonl"
    for _ in range(2):
        await evaluate(Counting(a="Shakespeare"), QUESTIONS, name="x", out=out, progress=tell)
    assert told[:3] == [(0, 4, 0.0), (1, 4, 100.0), (2, 4, 50.0)]
    assert told[5:] == [(4, 4, 25.0)]


async def test_results_that_cannot_be_written_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EvaluationError, match="cannot be opened"):
        await run(Counting(), tmp_path / "file" / "rows.jsonl")
    # Only what is written goes to the full disk: reading /dev/full never ends.
    monkeypatch.setattr(RowLog, "_load", lambda log: setattr(log, "_file", open_full()))
    system = Counting()
    with pytest.raises(EvaluationError, match="No space left"):
        await run(system, tmp_path / "rows.jsonl")
    assert len(system.asked) == 1


def open_full() -> BinaryIO:
    return Path("/dev/full").open("ab")


def test_a_later_row_replaces_an_earlier_one(tmp_path: Path) -> None:
    row = EvalRow(
        system="s", fingerprint="f", id="a", question="q", answer="x", status="error", em=0, f1=0
    )
    with RowLog(tmp_path / "rows.jsonl") as log:
        log.append(row)
        log.append(row.model_copy(update={"status": "answered"}))
    written = log.path.read_bytes()
    with RowLog(log.path) as log:
        assert log.rows["f", "a"].status == "answered"
    assert log.path.read_bytes() == written  # nothing was taken for a torn row


def test_the_fingerprint_is_of_the_settings_not_of_their_order() -> None:
    assert fingerprint("a", {"x": 1, "y": 2}) == fingerprint("a", {"y": 2, "x": 1})
    assert len({fingerprint("a", {}), fingerprint("b", {}), fingerprint("a", {"x": 1})}) == 3


# ── question sets ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no questions"),
        (b"\n \n", "has no questions"),
        (b"not json\n", "line 1: "),
        (b'{"id": "a", "question": "Q?"}\n', "line 1: answer: "),
        (b'{"id": "", "question": "Q?", "answer": ""}\n', "line 1: id: "),
        (b'{"id": "\xff", "question": "Q?", "answer": ""}\n', "line 1: "),
        (b'{"id": "a", "question": "Q?", "answer": ""}\n' * 2, "line 2: the id “a” already"),
    ],
)
def test_a_question_set_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "questions.jsonl").write_bytes(content)
    with pytest.raises(EvaluationError, match=said):
        load_questions(tmp_path)


def test_the_limit_takes_the_first_questions() -> None:
    everything = load_questions(SAMPLE)
    assert load_questions(SAMPLE, 3) == everything[:3]
    assert load_questions(SAMPLE, 1000) == everything


# ── hoptree eval ──────────────────────────────────────────────────────────────────────────────

SYSTEMS = ("hoptree", "single-shot", "closed-book")


def test_three_systems_run_over_the_sample_and_a_second_run_asks_nothing(
    hoptree: Hoptree,
) -> None:
    chosen = [part for name in SYSTEMS for part in ("--system", name)]
    args = ("eval", SAMPLE, "--limit", "2", *chosen, "--out", "out", "--json")
    done = hoptree(*args)
    assert done.returncode == 0, done.stderr
    summaries = [EvalSummary.model_validate(part) for part in json.loads(done.stdout)]
    assert [(s.system, s.dataset, s.n, s.errors) for s in summaries] == [
        (name, "sample", 2, 0) for name in SYSTEMS
    ]
    assert summaries[0].recall_at_5 == summaries[1].recall_at_5 == 100.0
    assert summaries[2].recall_at_5 == 0.0
    assert all(summary.tokens_per_question > 0 for summary in summaries)

    path = hoptree.folder / "out" / "rows.jsonl"
    written = rows(path)
    assert [(row.system, row.id) for row in written] == [
        (name, question.id) for name in SYSTEMS for question in load_questions(SAMPLE, 2)
    ]
    for summary in summaries:
        mine = [row for row in written if row.system == summary.system]
        assert summary == summarise(mine, system=summary.system, dataset="sample")
    assert all(row.extra["citations"] and row.extra["tree"] for row in written[:2])
    assert len(list((hoptree.folder / "out" / "traces").glob("*.jsonl"))) == 2

    before = path.read_bytes()
    again = hoptree(*args)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    table = hoptree(*args[:-1]).stdout
    for label in ("EM", "F1", "recall@5", *SYSTEMS):
        assert label in table
    assert path.read_bytes() == before


def test_an_interrupted_evaluation_goes_on_where_it_was(
    hoptree: Hoptree, sample_index: Path
) -> None:
    args = ("eval", SAMPLE, "--limit", "3", "--index", sample_index, "--out", "out")
    quick = {"HOPTREE_LIMITS__MAX_PATHS": "1"}
    path = hoptree.folder / "out" / "rows.jsonl"
    process = hoptree.start(*args, env=quick)
    while process.poll() is None and not (path.exists() and path.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    first = path.read_bytes()
    known = [row.id for row in rows(path)]
    assert 1 <= len(known) < 3

    with path.open("ab") as file:
        file.write(b'{"system": "hoptree", "torn')
    resumed = hoptree(*args, env=quick)
    assert resumed.returncode == 0, resumed.stderr
    assert path.read_bytes().startswith(first)
    assert [row.id for row in rows(path)] == [q.id for q in load_questions(SAMPLE, 3)]


def failed(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert "Traceback" not in done.stderr and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert done.returncode == code, line
    return line


def test_an_evaluation_that_cannot_begin_is_refused_and_leaves_nothing(hoptree: Hoptree) -> None:
    (hoptree.folder / "set").mkdir()
    assert "set has no questions.jsonl" in failed(hoptree("eval", "set"), 7)
    (hoptree.folder / "set" / "questions.jsonl").write_text("{}\n")
    assert "questions.jsonl, line 1: id: " in failed(hoptree("eval", "set"), 7)
    assert "there is no system 'magic'" in failed(hoptree("eval", SAMPLE, "--system", "magic"), 2)
    assert "none.gguf" in failed(hoptree("eval", SAMPLE, "--model", "none.gguf"), 5)
    assert [path.name for path in hoptree.folder.iterdir()] == ["set"]


def measured(dataset: Path, out: Path, **given: Any) -> list[EvalSummary]:
    """Run the first question by the base model alone, over the index that is given, if one is."""
    settings = Settings(**{"threads": 1, "context": 512, **given})
    indexed = "index" in given
    return benchmark.run(dataset, ["closed-book"], 1, out, settings, indexed, Console(quiet=True))


def test_what_an_evaluation_needs_is_looked_for_before_a_question_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "questions.jsonl").write_bytes(questions_path().read_bytes())
    with pytest.raises(EvaluationError, match=r"there is no .*corpus\.jsonl"):
        measured(tmp_path, out)
    with pytest.raises(EvaluationError, match="nowhere is not a directory"):
        measured(tmp_path / "nowhere", out)
    with pytest.raises(IndexNotFoundError, match="nowhere"):
        measured(SAMPLE, out, index=str(tmp_path / "nowhere"))
    with pytest.raises(ModelFileError, match=r"none\.gguf"):
        measured(SAMPLE, out, model=tmp_path / "none.gguf")
    assert not out.exists()


def test_another_index_is_another_evaluation(tmp_path: Path) -> None:
    for name in ("one", "two", "one"):
        EmbeddedIndex.create(tmp_path / name).close()
        [summary] = measured(SAMPLE, tmp_path / "out", index=str(tmp_path / name))
        assert summary.errors == 0
    written = rows(tmp_path / "out" / "rows.jsonl")
    assert len({row.fingerprint for row in written}) == len(written) == 2


def test_another_corpus_or_context_is_another_evaluation(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_bytes(questions_path().read_bytes())
    for text, context in (("Ulm.", 512), ("Porto.", 512), ("Porto.", 640), ("Porto.", 640)):
        row = json.dumps({"id": "a", "text": text})
        (tmp_path / "corpus.jsonl").write_text(row + "\n", encoding="utf-8")
        measured(tmp_path, tmp_path / "out", context=context)
    written = rows(tmp_path / "out" / "rows.jsonl")
    assert len({row.fingerprint for row in written}) == len(written) == 3


def test_without_the_adapter_that_ships_it_is_another_evaluation(tmp_path: Path) -> None:
    index = tmp_path / "index"
    EmbeddedIndex.create(index).close()
    for adapter in ("shipped", "none", "shipped"):
        measured(SAMPLE, tmp_path / "out", index=str(index), planner_lora=adapter)
    written = rows(tmp_path / "out" / "rows.jsonl")
    assert len({row.fingerprint for row in written}) == len(written) == 2


def test_models_of_one_name_are_told_apart_by_their_size_and_ends(tmp_path: Path) -> None:
    path, mib = tmp_path / "model.gguf", b"x" * 2**20
    marks = set()
    for content in (b"GGUF", b"GGUF" + 3 * mib, b"GGUF" + 4 * mib, b"GGUF" + 3 * mib[:-1] + b"y"):
        path.write_bytes(content)
        marks.add(benchmark.model_mark(path))
    assert len(marks) == 4


# ── the development sets ──────────────────────────────────────────────────────────────────────


def excerpt(dataset: Path, folder: Path, questions: int, further: int) -> Path:
    """Make a data set of the first questions, the passages they need, and some that they do not."""
    folder.mkdir()
    lines = (dataset / "questions.jsonl").read_bytes().splitlines(keepends=True)[:questions]
    needed = {passage for line in lines for passage in json.loads(line)["supporting_passages"]}

    def chosen() -> Iterable[bytes]:
        others = 0
        with (dataset / "corpus.jsonl").open("rb") as corpus:
            for line in corpus:
                if json.loads(line)["id"] in needed:
                    yield line
                elif others < further:
                    others += 1
                    yield line

    (folder / "questions.jsonl").write_bytes(b"".join(lines))
    (folder / "corpus.jsonl").write_bytes(b"".join(chosen()))
    return folder


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the development sets are not at {SHARED}")
@pytest.mark.parametrize("name", ["hotpotqa", "2wikimultihopqa", "musique", "cmrc2018"])
def test_hoptree_answers_questions_of_the_development_sets(name: str, tmp_path: Path) -> None:
    dataset = excerpt(SHARED / name, tmp_path / name, questions=2, further=60)
    settings = Settings(
        threads=1, context=2048, limits=Limits(max_paths=3, max_seconds=600, passages=6)
    )
    [summary] = benchmark.run(
        dataset, ["hoptree"], None, tmp_path / "out", settings, False, Console(quiet=True)
    )

    written = rows(tmp_path / "out" / "rows.jsonl")
    assert [row.error for row in written] == [None, None]
    assert (summary.dataset, summary.n) == (name, 2)
    assert summary.recall_at_5 is not None and summary.recall_at_5 >= 25.0
    assert summary.prompt_tokens_per_question < 4000
    for row in written:
        assert row.passages
        assert (row.status == "answered") == bool(row.extra["citations"])
