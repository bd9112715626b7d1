"""The one door to models, retrievers and readers: every call is bounded, counted and traced."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from fakes import FakeIndex, FakeReader, ScriptedGrammarModel, ScriptedModel
from langchain_core.messages import HumanMessage, SystemMessage

from agent.llama import LlamaCppChat
from agent.warm import alike
from graph import calls as calls_module
from graph.calls import Calls
from graph.events import CandidatesRead, Event, ModelCalled, Notice, Retrieved, Token
from graph.types import AnswerType, Candidate, Limits
from prompts.loader import render
from retrievers.errors import RetrieverError
from retrievers.passage import Hit, Passage

ASKED = [SystemMessage("Be brief."), HumanMessage("Who directed Ikarie XB-1?")]
FACTS = {"Who directed Ikarie XB-1?": {"Jindřich Polák": 0.9}, "Who wrote it?": {"Pavel": 0.5}}


class HangingIndex(FakeIndex):
    """Takes a search and never answers it."""

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        await super().search(queries, k)
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call may take longer than a moment."""
    for name in (
        "MODEL_SECONDS",
        "LEAST_MODEL_SECONDS",
        "GRACE_SECONDS",
        "LEAST_SEARCH_SECONDS",
        "READ_SECONDS",
        "LEAST_READ_SECONDS",
    ):
        monkeypatch.setattr(calls_module, name, 0.5)


def aged(calls: Calls) -> Calls:
    """Make the run as old as its time limit and a second more."""
    calls.started = time.monotonic() - calls.limits.max_seconds - 1
    return calls


# ── the model ─────────────────────────────────────────────────────────────────────────────────


async def test_a_model_call_is_told_with_its_prompt_its_output_and_its_cost() -> None:
    events: list[Event] = []
    calls = Calls(ScriptedModel(replies=("He did.",), tokens=(12, 2)))
    text = await calls.generate("compose", ASKED, events.append, max_tokens=9)
    [called] = events
    assert isinstance(called, ModelCalled)
    assert called.purpose == "compose"
    assert "[system] Be brief." in called.prompt
    assert "[human] Who directed Ikarie XB-1?" in called.prompt
    assert called.output == text
    assert text.strip() == "He did."
    assert (called.input_tokens, called.output_tokens) == (12, 2)
    assert called.finish_reason == "stop"


async def test_the_tokens_of_all_calls_are_counted_together() -> None:
    calls = Calls(ScriptedModel(tokens=(12, 2)), limits=Limits(max_model_tokens=28))
    for _ in range(2):
        await calls.generate("plan", ASKED, lambda event: None, max_tokens=9)
    assert (calls.model_calls, calls.model_tokens) == (2, 28)
    assert calls.spent is None
    await calls.generate("plan", ASKED, lambda event: None, max_tokens=9)
    assert calls.spent is not None
    assert "28 model tokens" in calls.spent


async def test_the_tokens_of_a_model_that_cannot_stream_are_counted() -> None:
    events: list[Event] = []
    calls = Calls(ScriptedModel(replies=("He did.",), tokens=(12, 2), disable_streaming=True))
    text = await calls.generate("plan", ASKED, events.append, max_tokens=9)
    [called] = events
    assert isinstance(called, ModelCalled)
    assert text == "He did."
    assert calls.model_tokens == 14
    assert called.finish_reason == "stop"


async def test_a_model_that_reports_no_tokens_can_be_used() -> None:
    calls = Calls(ScriptedModel(replies=("He did.",), tokens=None))
    text = await calls.generate("plan", ASKED, lambda event: None, max_tokens=9)
    assert text.strip() == "He did."
    assert (calls.model_calls, calls.model_tokens) == (1, 0)


async def test_the_tokens_of_the_real_model_are_counted(llama: LlamaCppChat) -> None:
    events: list[Event] = []
    calls = Calls(llama)
    grammar = 'root ::= "Jindřich Polák."'
    text = await calls.generate("plan", ASKED, events.append, max_tokens=24, grammar=grammar)
    [called] = events
    assert isinstance(called, ModelCalled)
    assert text == called.output == "Jindřich Polák."
    assert called.output_tokens >= len(llama.get_token_ids(text))
    assert called.input_tokens > sum(len(llama.get_token_ids(str(m.text))) for m in ASKED)
    assert calls.model_tokens == called.input_tokens + called.output_tokens


async def test_pieces_are_streamed_where_the_caller_wants_them() -> None:
    streamed: list[Event] = []
    silent: list[Event] = []
    calls = Calls(ScriptedModel(replies=("Jindřich Polák directed it.",)))
    text = await calls.generate("compose", ASKED, streamed.append, max_tokens=9, stream=True)
    await calls.generate("plan", ASKED, silent.append, max_tokens=9)
    pieces = [event.text for event in streamed if isinstance(event, Token)]
    assert len(pieces) == 4
    assert "".join(pieces) == text
    assert isinstance(streamed[-1], ModelCalled)
    assert [type(event) for event in silent] == [ModelCalled]


async def test_a_grammar_and_a_schema_go_to_a_model_that_can_be_bound() -> None:
    model = ScriptedGrammarModel()
    bound = {"grammar": 'root ::= "yes"', "json_schema": {"type": "object"}}
    await Calls(model).generate("plan", ASKED, lambda event: None, max_tokens=9, **bound)
    [options] = model.options
    assert bound.items() <= options.items()
    assert options["max_tokens"] == 9
    assert 0 < options["timeout"] <= calls_module.MODEL_SECONDS


async def test_other_models_get_no_option_that_they_do_not_know() -> None:
    model = ScriptedModel()
    await Calls(model).generate(
        "plan",
        ASKED,
        lambda event: None,
        max_tokens=9,
        grammar='root ::= "yes"',
        json_schema={"type": "object"},
        stop=["\n"],
    )
    assert model.options == [{"max_tokens": 9, "stop": ["\n"]}]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("purpose", ["plan", "compose"])
def test_prompts_of_one_kind_differ_only_at_their_end_so_that_the_model_keeps_the_rest(
    purpose: str, language: str
) -> None:
    one, other, bare = (
        render(purpose, language, question=text, findings=text, answer=text)
        for text in ("Ann", "Bo", "")
    )
    labels = 25  # characters that stand around the question and what was found, at the end
    assert alike(one, other) >= len(bare) - labels


async def test_a_model_gets_no_more_time_than_the_question_has_left() -> None:
    model = ScriptedGrammarModel()
    calls = Calls(model, limits=Limits(max_seconds=30))
    calls.started = time.monotonic() - 20
    await calls.generate("plan", ASKED, lambda event: None, max_tokens=9)
    await aged(calls).generate("compose", ASKED, lambda event: None, max_tokens=9)
    first, late = (options["timeout"] for options in model.options)
    assert first <= 10
    assert late == calls_module.LEAST_MODEL_SECONDS


@pytest.mark.usefixtures("impatient")
async def test_a_hanging_model_is_stopped_and_what_it_said_is_kept() -> None:
    events: list[Event] = []
    model = ScriptedModel(replies=("So far so good",), hangs=True)
    text = await Calls(model).generate("compose", ASKED, events.append, max_tokens=9, stream=True)
    assert text.strip() == "So far so good"
    assert model.stopped.is_set()
    [told] = [event.text for event in events if isinstance(event, Notice)]
    assert "compose" in told
    [called] = [event for event in events if isinstance(event, ModelCalled)]
    assert called.finish_reason == "timeout"


async def test_the_real_model_that_takes_too_long_ends_by_itself_and_is_told_of(
    llama: LlamaCppChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "MODEL_SECONDS", 0.0)
    monkeypatch.setattr(calls_module, "LEAST_MODEL_SECONDS", 0.0)
    monkeypatch.setattr(calls_module, "GRACE_SECONDS", 60.0)
    events: list[Event] = []
    await Calls(llama).generate("compose", ASKED, events.append, max_tokens=64)
    told, called = events
    assert isinstance(told, Notice)
    assert isinstance(called, ModelCalled)
    assert called.finish_reason == "timeout"
    assert called.output_tokens < 64


async def test_a_timeout_of_the_model_s_own_is_not_taken_for_ours() -> None:
    class Unreachable(ScriptedModel):
        def _reply(self, *_: object) -> str:
            raise TimeoutError("the server did not answer")

    with pytest.raises(TimeoutError, match="the server did not answer"):
        await Calls(Unreachable()).generate("plan", ASKED, lambda event: None, max_tokens=9)


async def test_cancelling_the_task_stops_the_model_in_the_middle_of_its_answer() -> None:
    events: list[Event] = []
    model = ScriptedModel(replies=("So far",), hangs=True)
    calls = Calls(model)
    task = asyncio.create_task(calls.generate("compose", ASKED, events.append, max_tokens=9))
    await model.hanging.wait()
    assert not model.stopped.is_set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.stopped.is_set()
    assert events == []


# ── the retriever ─────────────────────────────────────────────────────────────────────────────


async def test_a_search_of_many_queries_is_one_call_and_one_event() -> None:
    events: list[Event] = []
    index = FakeIndex(FACTS)
    calls = Calls(ScriptedModel(), retriever=index)
    found = await calls.search(list(FACTS), 3, events.append)
    assert index.searches == [tuple(FACTS)]
    assert calls.retrieval_calls == 1
    [retrieved] = events
    assert isinstance(retrieved, Retrieved)
    assert retrieved.queries == tuple(FACTS)
    assert [list(hits) for hits in retrieved.hits] == found
    assert [len(hits) for hits in found] == [1, 1]


@pytest.mark.usefixtures("impatient")
async def test_a_hanging_retriever_ends_with_an_error_that_says_what_to_do() -> None:
    calls = aged(Calls(ScriptedModel(), retriever=HangingIndex(FACTS)))
    with pytest.raises(RetrieverError, match=r"the index did not answer within .* s: .*reached"):
        await calls.search(["Who?"], 3, lambda event: None)


@pytest.mark.usefixtures("impatient")
async def test_what_went_wrong_is_told_in_the_language_of_the_question() -> None:
    events: list[Event] = []
    calls = Calls(ScriptedModel(hangs=True), retriever=HangingIndex(FACTS), language="zh")
    await calls.generate("compose", ASKED, events.append, max_tokens=9)
    calls.retrieval_calls = 1
    await calls.search(["谁？"], 3, events.append)
    stopped, failed = [event.text for event in events if isinstance(event, Notice)]
    assert stopped.startswith("模型已被中止（compose）")
    assert failed.startswith("检索失败")
    assert "没有响应" in failed


async def test_cancelling_the_task_cancels_the_search() -> None:
    searching = asyncio.Event()
    index = HangingIndex(FACTS, on_search=lambda _: searching.set())
    calls = Calls(ScriptedModel(), retriever=index)
    task = asyncio.create_task(calls.search(["Who?"], 3, lambda event: None))
    await searching.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_searching_without_a_retriever_is_the_caller_s_mistake() -> None:
    with pytest.raises(RuntimeError, match="without a retriever"):
        await Calls(ScriptedModel()).search(["Who?"], 3, lambda event: None)


# ── the reader ────────────────────────────────────────────────────────────────────────────────


async def test_reading_is_told_with_the_step_and_the_candidates() -> None:
    events: list[Event] = []
    index, question = FakeIndex(FACTS), "Who directed Ikarie XB-1?"
    calls = Calls(ScriptedModel(), FakeReader(FACTS), index)
    [hits] = await index.search([question])
    passages = [hit.passage for hit in hits]
    found = await calls.read(2, question, passages, AnswerType.PERSON, events.append)
    assert [candidate.text for candidate in found] == ["Jindřich Polák"]
    [told] = events
    assert isinstance(told, CandidatesRead)
    assert (told.step, told.question, list(told.candidates)) == (2, question, found)


async def test_reading_leaves_the_event_loop_free() -> None:
    class Waiting(FakeReader):
        def read(self, *_: object) -> list[object]:  # type: ignore[override]
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(timeout=30)
            return []

    loop = asyncio.get_running_loop()
    calls = Calls(ScriptedModel(), Waiting(FACTS))
    assert await calls.read(1, "Who?", [], AnswerType.ANY, lambda event: None) == []


async def test_passages_are_prepared_for_the_vote_where_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared: dict[int, list[Passage]] = {}
    monkeypatch.setattr(
        calls_module,
        "prepare",
        lambda passages, candidates: prepared.update({threading.get_ident(): list(passages)}),
    )
    passages = [hit.passage for hit in (await FakeIndex(FACTS).search(["Who directed it?"]))[0]]
    calls = Calls(ScriptedModel(), FakeReader(FACTS))
    await calls.read(1, "Who directed it?", passages, AnswerType.ANY, lambda event: None)
    [(thread, found)] = prepared.items()
    assert found == passages
    assert thread != threading.get_ident()


class HangingReader(FakeReader):
    """Reads until it is let go."""

    def __init__(self) -> None:
        super().__init__(FACTS)
        self.let_go = threading.Event()

    def read(self, *_: object) -> list[Candidate]:  # type: ignore[override]
        self.let_go.wait(timeout=30)
        return []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("language", "said"), [("en", "Reading took over 0.5 s"), ("zh", "阅读用时超过0.5秒")]
)
async def test_a_hanging_reader_has_read_nothing_and_is_told_of(language: str, said: str) -> None:
    events: list[Event] = []
    reader = HangingReader()
    calls = Calls(ScriptedModel(), reader, language=language)
    try:
        assert await calls.read(2, "Who?", [], AnswerType.ANY, events.append) == []
    finally:
        reader.let_go.set()
    notice, told = events
    assert isinstance(notice, Notice)
    assert said in notice.text
    assert "Who?" in notice.text
    assert isinstance(told, CandidatesRead)
    assert told.candidates == ()


async def test_a_reader_gets_no_more_time_than_the_question_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls_module, "LEAST_READ_SECONDS", 0.2)
    reader, begun = HangingReader(), time.monotonic()
    calls = aged(Calls(ScriptedModel(), reader))
    try:
        assert await calls.read(1, "Who?", [], AnswerType.ANY, lambda event: None) == []
    finally:
        reader.let_go.set()
    assert time.monotonic() - begun < calls_module.READ_SECONDS


async def test_a_timeout_of_the_reader_s_own_is_not_taken_for_ours() -> None:
    class Remote(FakeReader):
        def read(self, *_: object) -> list[Candidate]:  # type: ignore[override]
            raise TimeoutError("the reading server did not answer")

    with pytest.raises(TimeoutError, match="the reading server did not answer"):
        await Calls(ScriptedModel(), Remote(FACTS)).read(
            1, "Who?", [], AnswerType.ANY, lambda event: None
        )


# ── what is left ──────────────────────────────────────────────────────────────────────────────


def test_the_time_limit_is_told_once_it_is_reached() -> None:
    calls = Calls(ScriptedModel(), limits=Limits(max_seconds=90))
    assert calls.spent is None
    told = aged(calls).spent
    assert told is not None
    assert "90 s" in told
