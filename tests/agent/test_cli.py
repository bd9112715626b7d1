"""The `hoptree` command as a person runs it: real processes, and a real terminal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from hoptree_command import COMMAND, Hoptree

from agent.__main__ import main
from agent.answer import Answer
from agent.errors import HoptreeError
from agent.traces import read_trace
from graph.events import Answered, RunFailed
from retrievers.embedded import EmbeddedIndex
from retrievers.errors import RetrieverError
from retrievers.index_file import FILE

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"
ANSWER = "September 23, 1935"
STORY = "Tell me a very long story about the sea, the ships and the people on them."
TOWNS = (
    ("ulm", "Ulm", "Ulm is a city on the Danube. Its minster was finished in 1890."),
    ("porto", "Porto", "Porto is a city on the Douro, known for its bridges."),
    ("turku", "Turku", "Turku is the oldest town of Finland. Ada Roe was born there in 1911."),
)


def write_jsonl(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def towns(path: Path) -> Path:
    rows = [{"id": name, "title": title, "text": text} for name, title, text in TOWNS]
    return write_jsonl(path, rows)


def pdf(text: str) -> bytes:
    """Return a real one-page PDF that shows the text."""
    shown = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    end = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n" + places + end


@pytest.fixture(scope="module")
def town_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("towns")
    done = Hoptree(folder)("index", towns(folder / "towns.jsonl"), "--index", folder / "index")
    assert done.returncode == 0, done.stderr
    return folder / "index"


def found(index: Path, query: str) -> list[str]:
    """Return the ids of the passages that the index finds, best first."""
    opened = EmbeddedIndex.open(index)
    try:
        [hits] = asyncio.run(opened.search([query], k=3))
        return [hit.passage.id for hit in hits]
    finally:
        opened.close()


def passages(index: Path) -> int:
    opened = EmbeddedIndex.open(index)
    try:
        return opened.passages()
    finally:
        opened.close()


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def sentence(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Check that a run ended with one sentence and the code; return the sentence."""
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("indexing ━")]
    assert line.startswith("hoptree: ")
    assert done.returncode == code, line
    return line


# ── index and ask ─────────────────────────────────────────────────────────────────────────────


def test_the_sample_is_indexed_and_a_second_run_has_nothing_to_do(
    hoptree: Hoptree, sample_indexed: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    index, first = sample_indexed
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert "360 added, 0 changed, 0 unchanged, 0 deleted" in first.stderr

    again = hoptree("index", "--sample", "--index", index)
    assert again.returncode == 0
    assert "0 added, 0 changed, 360 unchanged, 0 deleted" in again.stderr
    assert passages(index) >= 360


def test_a_question_of_two_hops_is_answered_explained_and_cited(
    hoptree: Hoptree, sample_index: Path
) -> None:
    done = hoptree("ask", "--index", sample_index, "--explain", QUESTION)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert ANSWER in lines[0] and "[1][2]" in lines[0]
    assert lines[1].startswith("[1] Live at Shelly's Manne-Hole (")
    assert lines[2].startswith("[2] Les McCann (") and ANSWER in lines[2]

    tree = " ".join(done.stdout[done.stdout.index(f"\n{QUESTION}\n") :].split())
    assert f"path 1: plan 1, by the linguistic planner → {ANSWER} (0." in tree
    assert "1. Who recorded Live at Shelly's Manne-Hole? → Les McCann" in tree
    assert f"2. When was Les McCann born? → {ANSWER}" in tree
    assert "2 retrieval calls" in tree


def test_the_machine_form_holds_the_answer_with_all_that_led_to_it(
    hoptree: Hoptree, sample_index: Path
) -> None:
    done = hoptree("ask", "--index", sample_index, "--json", QUESTION)
    assert (done.returncode, done.stderr) == (0, "")
    raw = json.loads(done.stdout)
    assert {"answer", "confidence", "citations", "tree", "usage"} <= raw.keys()

    answer = Answer.model_validate_json(done.stdout)
    assert (answer.status, answer.answer) == ("answered", ANSWER)
    assert 0 < answer.confidence <= 1
    assert [citation.number for citation in answer.citations] == [1, 2]
    for citation in answer.citations:
        assert citation.passage.text[citation.start : citation.end] == citation.quote
    assert [step.result.verdict is not None for step in answer.tree.paths[0].steps] == [True] * 2
    assert answer.usage.seconds > 0 < answer.usage.model_seconds
    assert answer.usage.input_tokens > 0 < answer.usage.output_tokens

    [trace] = (hoptree.folder / "runs").glob("*.jsonl")
    ended = read_trace(trace)[-1]
    assert isinstance(ended, Answered)
    assert (ended.answer, ended.text) == (answer.answer, answer.text)
    assert trace.stem == answer.run


def test_without_an_index_the_model_answers_and_says_it_had_no_sources(hoptree: Hoptree) -> None:
    done = hoptree("ask", "What is the capital of France?")
    assert (done.returncode, done.stderr) == (0, "")
    notice, answer = done.stdout.splitlines()
    assert notice.startswith("No sources:")
    assert "Paris" in answer


def test_without_a_path_it_says_what_it_could_not_find(hoptree: Hoptree, town_index: Path) -> None:
    question = "Who is the wife of the inventor of the zorgon flux?"
    done = hoptree("ask", "--index", town_index, question)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("I could not answer this from your documents.")
    assert any("“Who is the inventor of the zorgon flux?”" in line for line in lines[1:])
    assert all(line.startswith(("Found: ", "Missing: ", "Tried: ")) for line in lines[1:])


def test_settings_come_from_the_folder_and_the_environment(hoptree: Hoptree) -> None:
    (hoptree.folder / "hoptree.toml").write_text("index = 'elsewhere'\nmax_question = 20\n")
    assert "20 that are taken" in sentence(hoptree("ask", "x" * 21), 2)
    raised = hoptree("ask", "x" * 21, env={"HOPTREE_MAX_QUESTION": "30"})
    assert "there is no index at elsewhere" in sentence(raised, 4)


def test_documents_can_be_deleted_and_pruned(hoptree: Hoptree) -> None:
    path = towns(hoptree.folder / "towns.jsonl")
    hoptree("index", path, "--index", "ix")
    assert "1 deleted; 2 passages" in hoptree("index", "--delete", "ulm", "--index", "ix").stderr
    write_jsonl(path, [{"id": "porto", "title": "Porto", "text": TOWNS[1][2]}])
    pruned = hoptree("index", "--prune", path, "--index", "ix")
    assert "1 unchanged, 1 deleted; 1 passages" in pruned.stderr


# ── in a terminal ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def terminal(hoptree: Hoptree) -> Iterator[Callable[..., pexpect.spawn[str]]]:
    started: list[pexpect.spawn[str]] = []

    def start(*args: str | Path) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            str(COMMAND),
            [str(arg) for arg in args],
            cwd=str(hoptree.folder),
            env=hoptree.env | {"TERM": "xterm-256color"},
            encoding="utf-8",
            timeout=120,
            dimensions=(40, 100),
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child: pexpect.spawn[str]) -> tuple[int | None, int | None]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.signalstatus


def test_a_terminal_shows_progress_then_the_answer_then_its_sources(
    terminal: Callable[..., pexpect.spawn[str]], sample_index: Path
) -> None:
    child = terminal("ask", "--index", sample_index, QUESTION)
    child.expect("thinking…")
    child.expect("path 1: plan 1")
    child.expect(ANSWER)
    child.expect(r"\[2\].*Les McCann.*43c6940801d3:28-46")
    assert ended(child) == (0, None)


def test_a_hostile_document_cannot_drive_the_terminal(
    hoptree: Hoptree, terminal: Callable[..., pexpect.spawn[str]]
) -> None:
    attack = "\x1b]0;owned\x07\x1b[2J\x9b31m\r[red]fake[/red] :warning: "
    path = write_jsonl(
        hoptree.folder / "evil.jsonl",
        [
            {
                "id": f"evil{attack}",
                "title": f"Ada Roe {attack}",
                "text": f"{attack}Ada Roe was born in 1911 in Turku.{attack}",
            }
        ],
    )
    assert hoptree("index", path, "--index", "ix").returncode == 0
    child = terminal("ask", "--index", "ix", "--explain", "When was Ada Roe born?")
    assert ended(child) == (0, None)
    printed = child.before
    assert printed is not None
    assert "1911" in printed
    for sequence in ("\x1b]0", "\x1b[2J", "\x9b", "\x07", "\r[red]"):
        assert sequence not in printed
    assert "[red]fake[/red] :warning:" in printed


def test_ctrl_c_while_it_searches_ends_the_run_at_once(
    hoptree: Hoptree, terminal: Callable[..., pexpect.spawn[str]], sample_index: Path
) -> None:
    before = content(sample_index)
    child = terminal("ask", "--index", sample_index, QUESTION)
    child.expect("path 1: plan 1")
    child.sendintr()
    assert ended(child) == (130, None)
    assert "Traceback" not in (child.before or "")
    assert content(sample_index) == before
    [trace] = (hoptree.folder / "runs").glob("*.jsonl")
    assert isinstance(read_trace(trace)[-1], RunFailed)


def test_ctrl_c_while_it_writes_ends_the_run_at_once(
    hoptree: Hoptree, terminal: Callable[..., pexpect.spawn[str]]
) -> None:
    child = terminal("ask", STORY)
    child.expect("may be wrong.")
    child.sendintr()
    child.expect("stopped")
    assert ended(child) == (130, None)
    [trace] = (hoptree.folder / "runs").glob("*.jsonl")
    assert isinstance(read_trace(trace)[-1], RunFailed)


def test_ctrl_c_before_a_command_begins_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.cli.main", pressed)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "stopped\n"


# ── stopped while indexing ────────────────────────────────────────────────────────────────────


def committed(index: Path) -> int:
    """Return how many passages another process sees in the index, 0 where it has no table yet."""
    if not (index / FILE).exists():
        return 0
    db = sqlite3.connect(f"file:{index / FILE}?mode=ro", uri=True)
    try:
        return int(db.execute("SELECT count(*) FROM passages").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


@pytest.mark.parametrize("enough", [0, 1], ids=["before the first batch", "between two batches"])
def test_ctrl_c_while_indexing_keeps_whole_batches_and_the_next_run_completes_them(
    hoptree: Hoptree, enough: int
) -> None:
    index = hoptree.folder / "ix"
    path = write_jsonl(
        hoptree.folder / "many.jsonl",
        [{"id": f"town-{n}", "text": f"Town {n} has a mayor called Roe {n}."} for n in range(800)],
    )
    process = hoptree.start("index", path, "--index", index)
    while process.poll() is None and not ((index / FILE).exists() and committed(index) >= enough):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err and out == ""
    kept = passages(index)
    assert kept in ({256, 512, 768} if enough else {0, 256})

    again = hoptree("index", path, "--index", index)
    assert again.returncode == 0
    assert f"{800 - kept} added, 0 changed, {kept} unchanged, 0 deleted" in again.stderr
    assert found(index, "Who is the mayor of town 799?")[0] == "town-799"


def test_a_disk_that_fills_up_is_told_and_the_old_index_stays(hoptree: Hoptree) -> None:
    index = hoptree.folder / "ix"
    hoptree("index", towns(hoptree.folder / "towns.jsonl"), "--index", index)
    size = (index / FILE).stat().st_size + 100_000
    big = write_jsonl(
        hoptree.folder / "big.jsonl",
        [{"id": str(n), "text": f"长城 {n} " + "砖" * 400} for n in range(600)],
    )

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = hoptree("index", big, "--index", index, before=small_disk)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("hoptree: the index at ")
    assert "the disk is full" in done.stderr and "is intact" in done.stderr
    assert found(index, "Ada Roe")[0] == "turku"
    assert passages(index) % 256 == 3

    assert hoptree("index", big, "--index", index).returncode == 0
    assert passages(index) == 603


# ── documents that cannot be read ─────────────────────────────────────────────────────────────


def test_a_corrupt_pdf_is_named_and_the_others_are_indexed(hoptree: Hoptree) -> None:
    folder = hoptree.folder / "papers"
    folder.mkdir()
    (folder / "bridge.pdf").write_bytes(pdf("The Severn Bridge opened in 1966."))
    (folder / "broken.pdf").write_bytes(pdf("Lost.")[:150])
    (folder / "tunnel.pdf").write_bytes(pdf("The Seikan Tunnel opened in 1988."))

    done = hoptree("index", "papers", "--index", "ix")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    [skipped] = [line for line in done.stderr.splitlines() if line.startswith("skipped")]
    assert "papers/broken.pdf: is not a readable PDF" in skipped
    assert "2 added" in done.stderr
    assert found(hoptree.folder / "ix", "Seikan Tunnel")[0] == "papers/tunnel.pdf"
    assert found(hoptree.folder / "ix", "Severn Bridge")[0] == "papers/bridge.pdf"


def test_ids_that_stand_twice_are_named_and_the_first_is_kept(hoptree: Hoptree) -> None:
    path = write_jsonl(
        hoptree.folder / "twice.jsonl",
        [
            {"id": "a", "text": "The first text, about Ulm."},
            {"id": "b", "text": "Another text."},
            {"id": "a", "text": "The second text, about Porto."},
        ],
    )
    done = hoptree("index", path, "--index", "ix")
    assert done.returncode == 3
    assert "twice.jsonl:3: another document has the id 'a': the first one is kept" in done.stderr
    assert passages(hoptree.folder / "ix") == 2
    [first, *_] = asyncio.run(EmbeddedIndex.open(hoptree.folder / "ix").get(["a"]))
    assert first.text == "The first text, about Ulm."


def test_lines_that_are_none_are_named_and_the_others_are_indexed(hoptree: Hoptree) -> None:
    path = hoptree.folder / "mixed.jsonl"
    path.write_bytes(b'{"id": "a", "text": "Fine."}\nnot json\n\xff\xfe\n{"id": "b"}\n')
    done = hoptree("index", path, "--index", "ix")
    assert done.returncode == 3
    for number in (2, 3, 4):
        assert f"mixed.jsonl:{number}: " in done.stderr
    assert passages(hoptree.folder / "ix") == 1


def test_files_whose_names_are_not_utf8_are_indexed(hoptree: Hoptree) -> None:
    (hoptree.folder / "caf\udce9.txt").write_text("The Severn Bridge opened in 1966.")
    done = hoptree("index", b"caf\xe9.txt", "--index", b"ind\xe9x")
    assert done.returncode == 0, done.stderr
    assert "1 added" in done.stderr
    assert found(hoptree.folder / "ind\udce9x", "Severn Bridge") == ["caf\\udce9.txt"]


# ── what cannot be meant ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "stdin", "said"),
    [
        ("", "", "the question is empty"),
        (" \t ", "", "the question is empty"),
        ("-", "", "the question is empty"),
        ("-", "\0\n", "the question is empty"),
        ("x" * 100_000, "", "100,000 characters"),
        ("-", "长" * 100_000, "100,000 characters"),
        (b"caf\xe9?", "", "not valid UTF-8"),
        ("-", "caf\udce9?", "not valid UTF-8 (byte 3)"),
    ],
    ids=["", "blank", "no input", "NUL", "long", "long input", "argument", "input"],
)
def test_a_question_that_is_none_is_refused(
    hoptree: Hoptree, question: str | bytes, stdin: str, said: str
) -> None:
    assert said in sentence(hoptree("ask", question, stdin=stdin), 2)
    assert not (hoptree.folder / "runs").exists()


def test_an_index_that_is_missing_is_named(hoptree: Hoptree) -> None:
    said = sentence(hoptree("ask", "--index", "nowhere", "Who?"), 4)
    assert "there is no index at nowhere" in said and "hoptree index" in said
    assert not (hoptree.folder / "nowhere").exists()


def test_a_file_that_is_no_index_is_named_and_left_as_it_is(hoptree: Hoptree) -> None:
    (hoptree.folder / "ix").mkdir()
    (hoptree.folder / "ix" / FILE).write_text("Something else that matters. " * 100)
    (hoptree.folder / "a.txt").write_text("Text.")
    before = content(hoptree.folder)
    assert "is not a hoptree index" in sentence(hoptree("ask", "--index", "ix", "Who?"), 4)
    assert "is not a hoptree index" in sentence(hoptree("index", "a.txt", "--index", "ix"), 4)
    assert "a.txt" in sentence(hoptree("index", "a.txt", "--index", "a.txt"), 4)
    assert content(hoptree.folder) == before


def test_a_model_that_is_no_gguf_is_named(hoptree: Hoptree, town_index: Path) -> None:
    (hoptree.folder / "bad.gguf").write_text("GIF89a")
    for more in ([], ["--index", town_index]):
        done = hoptree("ask", *more, "--json", "--model", "bad.gguf", "When was Ada Roe born?")
        assert "bad.gguf is not a GGUF file" in sentence(done, 5)
    said = sentence(hoptree("ask", "--json", "--model", "none.gguf", "Who?"), 5)
    assert "none.gguf" in said and "No such file" in said


def test_a_trace_folder_that_cannot_be_written_is_named(hoptree: Hoptree) -> None:
    (hoptree.folder / "file").touch()
    done = hoptree("ask", "Who?", env={"HOPTREE_TRACES": "file/runs"})
    said = sentence(done, 6)
    assert "file/runs" in said and "HOPTREE_TRACES" in said


def test_a_disk_that_is_full_when_the_trace_is_written_is_told(hoptree: Hoptree) -> None:
    def no_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    said = sentence(hoptree("ask", "Who?", before=no_disk), 6)
    assert "cannot write the trace" in said and "HOPTREE_TRACES" in said


@pytest.mark.parametrize(
    ("toml", "env", "said"),
    [
        ("threads = 0", {"HOPTREE_THREADS": ""}, "HOPTREE_THREADS"),
        ("thread = 1", {}, "the setting thread is wrong"),
        ("[limits]\npassages = 1000", {}, "the setting limits.passages is wrong"),
        ("not toml", {}, "hoptree.toml cannot be read"),
        ("", {"HOPTREE_CONTEXT": "lots"}, "HOPTREE_CONTEXT"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    hoptree: Hoptree, toml: str, env: dict[str, str], said: str
) -> None:
    (hoptree.folder / "hoptree.toml").write_text(toml)
    for command in (["ask", "Who?"], ["index", "--sample"]):
        assert said in sentence(hoptree(*command, env=env), 2)
    assert not (hoptree.folder / "data").exists()


def test_a_command_that_cannot_be_meant_is_refused(hoptree: Hoptree) -> None:
    assert "nothing to index" in sentence(hoptree("index"), 2)
    assert "no file or folder none.pdf" in sentence(hoptree("index", "none.pdf"), 2)
    for args in (["ask"], ["ask", "a", "b"], ["fly"], ["ask", "--max-paths", "0", "Who?"]):
        done = hoptree(*args)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr and done.stdout == ""
    assert not (hoptree.folder / "data").exists()


def test_debug_shows_the_traceback_and_the_same_sentence_and_code(hoptree: Hoptree) -> None:
    plain = hoptree("ask", "--index", "nowhere", "Who?")
    debug = hoptree("--debug", "ask", "--index", "nowhere", "Who?")
    assert debug.returncode == plain.returncode == 4
    assert "Traceback (most recent call last)" in debug.stderr
    assert "IndexNotFoundError" in debug.stderr
    assert debug.stderr.endswith(plain.stderr)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["streamed", "less than a buffer"])
def test_a_reader_that_goes_away_is_no_error_of_ours(hoptree: Hoptree, options: list[str]) -> None:
    process = hoptree.start("ask", *options, "What is the capital of France?")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(120) == 0


def test_any_language_can_come_in_and_output_that_cannot_hold_it_is_still_written(
    hoptree: Hoptree, sample_index: Path
) -> None:
    done = hoptree(
        *("ask", "--index", sample_index, "--explain", "-"),
        stdin="香港上海汇丰银行哪一年在巴拿马城开设代表处？\n",
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert done.stdout.startswith("\\u9999\\u6e2f\\u4e0a\\u6d77")  # 香港上海
    assert "1972\\u5e74" in done.stdout.splitlines()[0]  # 1972年
    assert (
        "香港上海汇丰银行哪一年在巴拿马城开设代表处？".encode("ascii", "backslashreplace").decode()
        in done.stdout
    )


def test_help_names_every_command_and_exit_codes(hoptree: Hoptree) -> None:
    done = hoptree("--help")
    assert done.returncode == 0
    for command in ("index", "ask", "eval", "doctor"):
        assert command in done.stdout
        assert hoptree(command, "--help").returncode == 0
    [codes] = re.findall(r"Exit codes: .*", " ".join(done.stdout.split()))
    for error in (HoptreeError, *HoptreeError.__subclasses__(), RetrieverError):
        assert re.search(rf"\b{error.exit_code} \w", codes)
    for code in (0, 3, 130):
        assert re.search(rf"\b{code} \w", codes)
