"""The REPL as a person uses it: in a real terminal and in a pipe, with the real model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from hoptree_command import COMMAND, Hoptree
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from test_show import events

from agent.answer import answer_of
from agent.errors import UsageError
from agent.feedback import read
from agent.repl import changing
from agent.repl.commands import COMMANDS, parsed
from agent.repl.completing import Completions
from agent.repl.screen import Screen
from agent.repl.session import Session
from agent.settings import Settings
from agent.traces import read_trace
from graph.events import RunFailed

ANSWER = "September 23, 1935"
ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202e[red]fake[/red] "
SEQUENCES = ("\x1b]0", "\x1b[2J", "\x9b", "\x07", "\u202e")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
Terminal = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def terminal(hoptree: Hoptree) -> Iterator[Terminal]:
    started: list[pexpect.spawn[str]] = []

    def start(*args: str | Path, **env: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            str(COMMAND),
            [str(arg) for arg in args],
            cwd=str(hoptree.folder),
            env=hoptree.env | {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"} | env,
            encoding="utf-8",
            timeout=300,
            dimensions=(40, 100),
        )
        child.logfile_read = (hoptree.folder / f"screen{len(started)}").open("w", encoding="utf-8")
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def said(child: pexpect.spawn[str], line: str, *expected: str) -> None:
    """Type a line, and wait for what is expected of it, one after another."""
    child.sendline(line) if child.env and child.env.get("TERM") == "dumb" else child.send(
        line + "\r"
    )
    for text in expected:
        child.expect_exact(text)


def screen(hoptree: Hoptree, number: int = 0) -> str:
    """Return everything that a terminal was sent."""
    return (hoptree.folder / f"screen{number}").read_text(encoding="utf-8")


def ended(child: pexpect.spawn[str]) -> tuple[int | None, int | None]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.signalstatus


# ── on a terminal ─────────────────────────────────────────────────────────────────────────────


def test_a_conversation_on_a_terminal(
    hoptree: Hoptree, terminal: Terminal, sample_index: Path
) -> None:
    child = terminal(HOPTREE_INDEX=str(sample_index))  # `hoptree` alone
    child.expect_exact("hoptree>")
    said(child, "Who recorded Live at Shelly's Manne-Hole?", "thinking…", "path 1: ", "Les McCann")
    child.expect_exact("model calls")
    child.expect_exact("hoptree>")

    said(child, "And when was he born?", "understood as: When was Les McCann born?", ANSWER)
    child.expect_exact("43c6940801d3:28-46")
    child.expect_exact("hoptree>")
    said(child, "/cite 1", "answers “When was Les McCann born?”", "Leslie Coleman McCann (born ")
    child.expect_exact(f"\x1b[7m{ANSWER}\x1b[0m")
    said(child, "/why", ANSWER, "strength", "read in")
    said(child, "/tree", "path 1: ", "When was Les McCann born?")
    said(child, "/sources", "[2]")
    said(child, "/cite 99", "there is no source 99")
    said(child, "/set max_paths 0", "limits.max_paths is wrong")
    said(child, "/set max_paths 2", "max_paths = 2")
    said(child, "/set index nowhere", "there is no index at nowhere")
    said(child, "/feedback good list", "kept")
    said(child, "/fly", "there is no command /fly")
    said(child, "/retry", "path 1: ", ANSWER, "hoptree>")
    said(child, "/quit")
    assert ended(child) == (0, None)

    runs = sorted((hoptree.folder / "runs").glob("*.jsonl"))
    assert len(runs) == 3
    [follow_up] = read(hoptree.folder / "runs", runs[0].stem)
    assert follow_up.follow_up == "And when was he born?"
    [kept] = read(hoptree.folder / "runs", runs[1].stem)
    assert (kept.rating, kept.form) == ("good", "list")
    assert "Traceback" not in screen(hoptree)

    again = terminal("repl")  # another day: what was typed is still there
    again.expect_exact("hoptree>")
    again.send("\x1b[A\x1b[A")
    again.expect_exact("/retry")
    again.send("\x03")  # the line is given up, the conversation is not
    again.send("/set max_pa\tth\x15")
    again.send("/set\\\r\r")  # a line that goes on, with nothing in it
    again.expect_exact("…")
    again.expect_exact("hoptree>")
    again.send("\x04")
    assert ended(again) == (0, None)


def test_ctrl_c_stops_the_answer_and_what_is_indexed_then_answers_harmlessly(
    hoptree: Hoptree, terminal: Terminal
) -> None:
    row = {
        "id": f"evil{ATTACK}",
        "title": f"Ada Roe {ATTACK}",
        "text": f"{ATTACK}Ada Roe was born in 1911 in Turku.{ATTACK}",
    }
    (hoptree.folder / "evil.jsonl").write_text(json.dumps(row), encoding="utf-8")
    child = terminal("repl", NO_COLOR="1", HOPTREE_INDEX="ix")
    child.expect_exact("hoptree>")
    said(child, "Who?", "there is no index at ix")
    said(child, "/index none*.txt", "there is no file or folder none*.txt")
    said(child, "/index ev*.jsonl", "1 added", "hoptree>")
    said(child, "When was Ada Roe born?", "1911", "[1]", "model calls", "hoptree>")
    said(child, "/cite 1", "was born in", "Turku.", "hoptree>")
    said(child, "/sources", "[1]", "hoptree>")
    said(child, "/why 1", "1911", "strength", "hoptree>")
    said(child, "/tree", "path 1", "1911", "hoptree>")
    for _ in range(9):  # the answer may be there before the signal is
        said(child, "When was Ada Roe born?", "thinking…")
        child.sendintr()
        stopped = child.expect_exact(["stopped; /resume goes on", "model calls"]) == 0
        child.expect_exact("hoptree>")
        # A run may have had its answer, and its page not yet shown it.
        last = max((hoptree.folder / "runs").glob("*.jsonl"))
        if stopped and any(isinstance(event, RunFailed) for event in read_trace(last)):
            break
    said(child, "/sources", "[1]", "hoptree>")  # of the answer before
    said(child, "/resume", "1911", "model calls", "hoptree>")
    said(child, '/fork 1 "1912"', "1912", "model calls", "hoptree>")
    child.send("\x04")
    assert ended(child) == (0, None)

    printed = screen(hoptree)
    for sequence in SEQUENCES:
        # prompt_toolkit clears the screen of a prompt with a sequence of its own, `ESC [ J`.
        assert sequence not in printed
    assert "[red]fake[/red]" in printed
    assert not COLOUR.search(printed)
    assert "Traceback" not in printed
    runs = sorted((hoptree.folder / "runs").glob("*.jsonl"))
    assert any(isinstance(event, RunFailed) for event in read_trace(runs[-2]))  # and then went on


def test_ctrl_c_while_it_writes_stops_the_model_and_the_next_question_is_answered(
    terminal: Terminal,
) -> None:
    child = terminal("repl")
    child.expect_exact("hoptree>")
    said(child, "Tell me a very long story about the sea, the ships and the people on them.")
    child.expect_exact("may be wrong.")
    child.sendintr()
    child.expect_exact("stopped; /resume goes on")
    child.expect_exact("hoptree>")
    said(child, "What is the capital of France?", "Paris", "model calls", "hoptree>")
    child.send("\x04")
    assert ended(child) == (0, None)


def test_a_dumb_terminal_gets_plain_text_alone(
    hoptree: Hoptree, terminal: Terminal, sample_index: Path
) -> None:
    child = terminal("repl", "--index", sample_index, TERM="dumb")
    child.expect_exact("hoptree>")
    said(child, "When was Les \\", "... ")
    said(child, "McCann born?", ANSWER, "[1] Les McCann", "hoptree>")
    said(child, "/cite 1", "Leslie Coleman McCann", "hoptree>")
    child.sendintr()
    child.expect_exact("hoptree>")
    child.sendeof()
    assert ended(child) == (0, None)
    assert "\x1b" not in screen(hoptree)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux, a terminal to look at, is missing")
def test_chinese_is_as_wide_as_it_is_on_the_screen(hoptree: Hoptree, sample_index: Path) -> None:
    socket = hoptree.folder / "tmux"
    env = {name: value for name, value in hoptree.env.items() if name != "COLUMNS"}

    def tmux(*args: str) -> str:
        command = ["tmux", "-S", str(socket), *args]
        done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_for(pattern: str, times: int = 1) -> list[str]:
        for _ in range(1500):
            lines = tmux("capture-pane", "-p").splitlines()
            if sum(bool(re.search(pattern, line)) for line in lines) >= times:
                return lines
            time.sleep(0.2)
        raise AssertionError(f"{pattern} never came: {lines}")

    run = f"{COMMAND} repl --index {sample_index}"
    tmux("-f", "/dev/null", "-u", "new-session", "-d", "-x", "48", "-y", "50", run)
    try:
        wait_for("hoptree>")
        question = "香港上海汇丰银行哪一年在巴拿马城开设代表处？"
        tmux("send-keys", "-l", question + "吗")
        tmux("send-keys", "BSpace")  # takes away one whole character
        tmux("send-keys", "Enter")
        wait_for("model calls")
        tmux("send-keys", "/cite 1", "Enter")
        lines = wait_for("^hoptree>", 3)
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"])
    joined = "".join(line.strip("│├└─ ").strip() for line in lines).replace(" ", "")
    assert f"hoptree>{question}" in joined
    assert f"1.{question}→1972年" in joined
    assert (
        "总部设在巴拿马首都巴拿马城。香港上海汇丰银行于1972年在巴拿马城开设代表处，并分别" in joined
    )


# ── in a pipe ─────────────────────────────────────────────────────────────────────────────────


def test_a_pipe_gets_plain_answers_and_the_code_of_the_first_fault(
    hoptree: Hoptree, sample_index: Path
) -> None:
    lines = [
        "永昌大君的母亲是谁？",
        "Who recorded Live at Shelly's Manne-Hole?",
        "/nothing",
        "caf\udce9?",
        "",
        "And when was he \\",
        "born?",
        "/cite 1",
    ]
    done = hoptree("repl", "--index", sample_index, stdin="\n".join(lines), env={"TERM": "xterm"})
    assert done.returncode == 2
    assert "Les McCann" in done.stdout and ANSWER in done.stdout
    assert done.stdout.rstrip().endswith("is an American jazz pianist and vocalist")
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.splitlines() == [
        "hoptree: there is no command /nothing: /help lists them",
        "hoptree: line 4 is not valid UTF-8 (byte 3): convert it first",
        "understood as: When was Les McCann born? (“he” is Les McCann)",
    ]


def test_without_a_terminal_hoptree_alone_shows_its_help(hoptree: Hoptree) -> None:
    done = hoptree()
    assert done.returncode == 2
    assert "repl" in done.stdout and done.stderr == ""


# ── the parts ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(Settings(traces=tmp_path / "runs"), Screen.standard()) as session:
        yield session


def offered(session: Session, text: str) -> list[str]:
    """Return what the prompt offers behind a text."""
    found = Completions(session).get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


def test_commands_and_their_arguments_are_completed(session: Session) -> None:
    assert offered(session, "/c") == ["cite"]
    assert offered(session, "/") == list(COMMANDS)
    assert offered(session, "When was /c") == []
    assert offered(session, "/cite ") == []  # nothing was answered yet
    session.answer = answer_of(events("\x1b[2J"))
    assert offered(session, "/cite ") == ["1"]
    assert offered(session, "/why ") == offered(session, "/fork ") == ["1", "2"]
    assert offered(session, "/set max_p") == ["max_paths"]
    assert offered(session, "/set max_paths d") == ["default"]
    assert offered(session, "/feedback g") == ["good"]
    assert "list" in offered(session, "/feedback good ")
    assert offered(session, "/help wh") == ["why"]


def test_files_are_completed_where_files_are_taken(session: Session, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").touch()
    for command in ("/index", "/set index", "/set model"):
        assert offered(session, f"{command} {tmp_path}/pap") == ["er.pdf"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_told_by_its_own_usage(name: str, session: Session) -> None:
    assert parsed(f"/{name}")[0] is COMMANDS[name]
    assert COMMANDS[name].usage.startswith(f"/{name}")
    assert name in session._do


def test_quoted_arguments_stay_together_whatever_the_marks() -> None:
    assert parsed("/index 'a b' “c d” e")[1] == ["a b", "c d", "e"]
    with pytest.raises(UsageError, match="not closed"):
        parsed("/index 'a b")


def test_what_looks_at_an_answer_says_so_where_there_is_none(session: Session) -> None:
    for line in ("/cite 1", "/tree", "/why", "/sources", "/retry", "/resume", "/feedback good"):
        with pytest.raises(UsageError, match="first"):
            session.do(line)
    for line in ("/cite", "/cite x", "/tree x", "/index", "/set nothing", "/feedback", "/fork 2"):
        with pytest.raises(UsageError):
            session.do(line)


def test_a_setting_is_checked_and_can_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOPTREE_LIMITS__PASSAGES", "7")
    settings = Settings()
    other = changing.changed(settings, "limits.passages", "3")
    assert (other.limits.passages, settings.limits.passages) == (3, 7)
    assert changing.changed(other, "passages", changing.DEFAULT).limits.passages == 7
    assert changing.changed(other, "threads", "2").threads == 2
    for name, value in (("passages", "many"), ("threads", "0"), ("traces", "x"), ("nothing", "1")):
        with pytest.raises(UsageError):
            changing.changed(settings, name, value)
    assert set(changing.values(settings)) == set(changing.names())
