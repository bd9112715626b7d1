"""How an answer looks in a terminal: as it comes, whole, and harmless."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest
from rich.console import Console

from agent.answer import Answer, answer_of
from agent.show import draw, safe, show_json, show_stream
from graph.events import (
    Answered,
    Citation,
    Event,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    RunStarted,
    Token,
    Voted,
)
from graph.types import (
    Bound,
    Failure,
    FailureReason,
    Outcome,
    Path,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
)
from retrievers.passage import Passage

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\rhidden\x08\x7f\u202egnp.exe\u2069 "
    "[red]not red[/red] [/] [bold \\[x] \\\\[/dim] :warning: [link=http://x]y[/link]"
)
SHOWN = (
    "[2J]0;owned31mhiddengnp.exe "
    "[red]not red[/red] [/] [bold \\[x] \\\\[/dim] :warning: [link=http://x]y[/link]"
)
"""What is left of it: the text, letter by letter, without the control characters."""


def console(width: int = 400, terminal: bool = False) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    made = Console(
        file=file,
        width=width,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
        highlight=False,
        emoji=False,
        soft_wrap=True,
    )
    return made, file


def events(text: str = "plain", answer: str | None = None) -> list[Event]:
    """A run in which everything that comes from outside holds `text`."""
    answer = answer if answer is not None else text
    passage = Passage(id=f"id {text}", title=f"title {text}", text=f"before {answer} after {text}")
    start = len("before ")
    citation = Citation(
        number=1,
        passage=passage,
        start=start,
        end=start + len(answer),
        quote=answer,
        question=text,
    )
    plan = Plan(
        steps=(SubQuestion(text=f"first {text}"), SubQuestion(text=f"second {text} #1")),
        planner="linguistic",
        score=0.8,
    )
    bound = {1: Bound(answer=f"kept {text}", confidence=0.5, question="q", cluster=1)}
    failure = Failure(step=2, reason=FailureReason.NOTHING_READ, detail=f"none {text}")
    said = Verdict(answer=f"found {text}", confidence=0.5, margin=0.1, explanation=f"why {text}")
    first = Path(plan=0, origin=f"plan {text}", prior=0.8)
    second = Path(plan=0, origin=f"runner-up {text}", prior=0.4, bound=bound)
    return [
        RunStarted(run="the-run", question=f"asked {text}", language="en", settings={}),
        Planned(plans=(plan,)),
        PathOpened(number=1, path=first),
        Voted(step=1, result=StepResult(question=f"sought {text}", verdict=said)),
        Voted(step=2, result=StepResult(question=f"failed {text}", failure=failure)),
        PathLeft(number=1, failure=failure),
        PathOpened(number=2, path=second),
        Voted(step=2, result=StepResult(question="again", verdict=said), remembered=True),
        PathSolved(number=2, outcome=Outcome(path=second, answer=answer, confidence=0.25)),
        Notice(text=f"notice {text}"),
        Token(text=f"told {text} "),
        Token(text="[1]."),
        Answered(
            status="answered",
            answer=answer,
            text=f"told {text} [1].",
            confidence=0.25,
            citations=(citation,),
            passages=(passage,),
        ),
    ]


def shown(run: list[Event], terminal: bool = False, width: int = 400) -> str:
    out, file = console(width, terminal)
    show_stream(run, out, console()[0], explain=True)
    return file.getvalue()


# ── as it comes ───────────────────────────────────────────────────────────────────────────────


def test_the_answer_is_printed_token_by_token() -> None:
    out, file = console()
    seen: list[str] = []

    def watched() -> Iterator[Event]:
        for event in events():
            yield event
            if isinstance(event, Token):  # asked for the next one, so this one was dealt with
                seen.append(file.getvalue().splitlines()[-1])

    show_stream(watched(), out, console()[0], explain=False)
    assert seen == ["told plain ", "told plain [1]."]


def test_the_answer_comes_with_its_notices_and_numbered_sources() -> None:
    lines = shown(events()).splitlines()
    assert lines[:3] == [
        "notice plain",
        "told plain [1].",
        "[1] title plain (id plain:7-12) before plain after plain",
    ]


def test_a_source_shows_what_stands_around_the_quote() -> None:
    run = events()
    ended = run[-1]
    assert isinstance(ended, Answered)
    text = "a" * 200 + "\nquote\n" + "b" * 200
    passage = Passage(id="p", text=text)
    cited = Citation(number=1, passage=passage, start=201, end=206, quote="quote", question="q")
    run[-1] = ended.model_copy(update={"citations": (cited,)})
    assert f"[1] p (p:201-206) …{'a' * 89} quote {'b' * 89}…\n" in shown(run)


# ── the tree ──────────────────────────────────────────────────────────────────────────────────


def test_the_tree_shows_each_step_with_its_verdict_and_why_a_path_was_left() -> None:
    drawn = shown(events())[shown(events()).index("asked") :].splitlines()
    assert drawn[:-1] == [
        "asked plain",
        "├── path 1: plan plain",
        "│   ├── 1. sought plain → found plain why plain",
        "│   ├── 2. failed plain → no verdict",
        "│   └── left: none plain",
        "└── path 2: runner-up plain → plain (0.25)",
        "    ├── 1. first plain → kept plain",
        "    └── 2. again → found plain (remembered) why plain",
    ]
    assert drawn[-1].endswith("run the-run")


def test_nothing_of_the_tree_is_cut_off_in_a_narrow_terminal() -> None:
    long = " ".join(f"word{number}" for number in range(40))
    narrow = shown(events(long), width=60)
    tree = narrow[narrow.index("asked") :]
    assert max(len(line) for line in tree.splitlines()[:-1]) <= 60
    joined = " ".join(tree.replace("│", " ").split())
    assert joined.count(f"found {long}") == 2
    assert joined.count(f"why {long}") == 2
    assert f"left: none {long}" in joined


def test_a_tree_without_paths_is_the_question_alone() -> None:
    run = [event for event in events() if isinstance(event, RunStarted | Answered)]
    out, file = console()
    out.print(draw(answer_of(run).tree))
    assert file.getvalue() == "asked plain\n"


# ── what a passage cannot do ──────────────────────────────────────────────────────────────────


def test_control_characters_do_not_reach_the_terminal() -> None:
    for terminal in (False, True):
        printed = shown(events(HOSTILE), terminal)
        for character in "\x07\x08\r\x7f\x9b\u202e\u2069":
            assert character not in printed
        assert "\x1b[2J" not in printed and "\x1b]" not in printed
    assert "\x1b" not in shown(events(HOSTILE))


def test_markup_and_emoji_codes_are_printed_as_they_are() -> None:
    printed = shown(events(HOSTILE))
    places = (
        "notice told title id before asked plan sought found why failed none runner-up first kept"
    )
    for before in places.split():
        assert f"{before} {SHOWN}" in printed, before
    assert f"after {SHOWN[:60]}" in printed  # a source is cut after 90 characters of context


@pytest.mark.parametrize("end", ["\\", "\\\\", "\\\\\\", "[", "[/", "\\["])
def test_a_quote_that_ends_like_markup_is_shown_whole(end: str) -> None:
    quote = f"C:{end}"
    assert f"(id plain:7-{7 + len(quote)}) before {quote} after plain\n" in shown(
        events(answer=quote)
    )


def test_what_a_passage_holds_cannot_look_like_a_line_of_ours() -> None:
    lines = shown(events("x\n[2] forged", answer="x")).splitlines()
    # The notice and the answer, both our own words, may have lines; nothing else does.
    assert [number for number, line in enumerate(lines) if line.startswith("[2] forged")] == [1, 3]


@pytest.mark.parametrize(
    "character",
    ["\u200e", "\u200f", "\u061c", "\u2028", "\u2029", "\ufff9", "\ud800", "\U000e0041"],
)
def test_what_is_invisible_turns_the_line_or_is_half_a_character_is_left_out(
    character: str,
) -> None:
    assert safe(f"a{character}b") == "ab"


def test_safe_text_keeps_lines_tabs_and_every_script() -> None:
    text = "tab\tline\nété 中文 🐼 עברית e\u0301"
    assert safe(text) == text


# ── the machine form ──────────────────────────────────────────────────────────────────────────


def test_the_machine_form_is_json_and_the_whole_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_of(events(HOSTILE))
    show_json(answer)
    printed = capsys.readouterr().out
    assert json.loads(printed)["answer"] == HOSTILE
    assert Answer.model_validate_json(printed) == answer


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb2312", "utf-8"])
def test_the_machine_form_is_json_in_any_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answer_of(events("é 中文 🐼 \x9b"))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding))
    show_json(answer)
    sys.stdout.flush()
    assert Answer.model_validate_json(written.getvalue()) == answer


def test_a_clock_that_is_set_back_during_a_run_makes_no_seconds_below_zero() -> None:
    started, *rest = events()
    later = started.model_copy(update={"at": started.at + 3600})
    assert answer_of([later, *rest]).usage.seconds == 0.0


def test_a_run_without_an_end_has_no_answer() -> None:
    with pytest.raises(ValueError, match="did not come to an end"):
        answer_of(events()[:-1])
