"""The Python API, over the sample's index with the model that ships, and with other models."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

import agent as package
from agent.answer import Answer, answer_of
from agent.api import Agent
from agent.errors import ModelError, QuestionError, TraceError
from agent.llama import LlamaCppChat
from agent.settings import Settings
from agent.traces import read_trace
from graph.events import Answered, Event, ModelCalled, RunFailed, RunStarted, Token
from graph.types import Limits
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.errors import IndexNotFoundError
from retrievers.passage import Hit, Passage

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"
ANSWER = "September 23, 1935"
PATIENT = Limits(max_seconds=600, accept=0.3)
"""Neither a busy machine nor a shift of the calibration changes which path is taken."""


class EndlessChat(BaseChatModel):
    """A model that never stops by itself; it counts the tokens it was asked for."""

    tokens: int = 0
    fails_at: int | None = None

    @property
    def _llm_type(self) -> str:
        return "endless"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        while True:
            self.tokens += 1
            if self.tokens == self.fails_at:
                raise RuntimeError("the server went away")
            yield ChatGenerationChunk(message=AIMessageChunk(content="and "))
            await asyncio.sleep(0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        index=str(tmp_path / "no-index-was-named"),
        traces=tmp_path / "runs",
        threads=1,
        context=2048,
        limits=PATIENT,
    )


@pytest.fixture(scope="module")
def index(sample_index: Path) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex.open(sample_index)
    yield opened
    opened.close()


@pytest.fixture
def agent(index: EmbeddedIndex, llama: LlamaCppChat, settings: Settings) -> Agent:
    return Agent(index, llama, settings=settings)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    """An index without a passage: the model answers alone."""
    opened = EmbeddedIndex.create(tmp_path / "empty")
    yield opened
    opened.close()


def traced(settings: Settings) -> list[Event]:
    """Return the events of the only run."""
    [path] = settings.traces.glob("*.jsonl")
    return read_trace(path)


def said(answer: Answer) -> tuple[object, ...]:
    """Return what does not change from run to run."""
    return answer.status, answer.answer, answer.text, answer.citations, answer.passages


def assert_sound(answer: Answer) -> None:
    """Check what holds of every answer from sources."""
    assert answer.citations
    for number, citation in enumerate(answer.citations, 1):
        assert citation.number == number
        assert citation.passage.text[citation.start : citation.end] == citation.quote
        assert citation.passage in answer.passages
        assert f"[{number}]" in answer.text
    assert 0 < answer.confidence <= 1


# ── asking ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def run(
    index: EmbeddedIndex, llama: LlamaCppChat, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], Settings]:
    """The events of one run of the question, and the settings it ran under."""
    settings = Settings(traces=tmp_path_factory.mktemp("runs"), limits=PATIENT)
    return list(Agent(index, llama, settings=settings).stream(QUESTION)), settings


def test_a_question_of_two_hops_is_answered_with_a_citation_for_each(
    run: tuple[list[Event], Settings],
) -> None:
    answer = answer_of(run[0])

    assert (answer.status, answer.answer, answer.question) == ("answered", ANSWER, QUESTION)
    assert ANSWER in answer.text
    assert_sound(answer)
    assert [c.passage.title for c in answer.citations[:2]] == [
        "Live at Shelly's Manne-Hole",
        "Les McCann",
    ]
    [path] = [path for path in answer.tree.paths if path.answer is not None]
    assert [step.result.verdict and step.result.verdict.answer for step in path.steps] == [
        "Les McCann",
        ANSWER,
    ]
    used = answer.usage
    assert used.model_calls == 1 and used.input_tokens > 0 and used.output_tokens > 0
    assert used.retrieval_calls == 2
    assert used.seconds >= used.model_seconds > 0 < used.retrieval_seconds


def test_the_answer_is_streamed_in_pieces_before_it_is_whole(
    run: tuple[list[Event], Settings],
) -> None:
    events, _ = run
    pieces = [event.text for event in events if isinstance(event, Token)]

    assert isinstance(events[0], RunStarted) and isinstance(events[-1], Answered)
    assert len(pieces) > 3
    assert "".join(pieces).strip() == events[-1].text


async def test_sync_and_async_forms_say_the_same(
    agent: Agent, run: tuple[list[Event], Settings]
) -> None:
    whole = await agent.aask(QUESTION)
    blocking = agent.ask(QUESTION)  # inside a running event loop, as in a notebook
    assert blocking.usage.cached_tokens > blocking.usage.input_tokens / 2  # the prefix kept warm
    assert said(whole) == said(blocking) == said(answer_of(run[0]))


def test_the_longest_question_fits_the_model(
    agent: Agent, empty: EmbeddedIndex, settings: Settings, llama: LlamaCppChat
) -> None:
    longest = ("麒麟" * settings.max_question)[: settings.max_question - 1] + "？"
    assert agent.ask(longest).status in {"answered", "abstained"}
    assert Agent(empty, llama, settings=settings).ask(longest).status == "closed_book"


async def test_questions_at_the_same_time_do_not_mix(
    agent: Agent, run: tuple[list[Event], Settings]
) -> None:
    other = "香港上海汇丰银行哪一年在巴拿马城开设代表处？"
    english, chinese = await asyncio.gather(agent.aask(QUESTION), agent.aask(other))
    assert said(english) == said(answer_of(run[0]))
    assert (chinese.question, chinese.tree.question) == (other, other)
    assert english.run != chinese.run
    assert chinese.answer == "1972年"
    assert chinese.text.startswith("香港上海汇丰银行1972年在巴拿马城开设代表处[1]")
    assert_sound(chinese)


def test_limits_hold_for_the_call_alone(agent: Agent) -> None:
    limits = Limits(max_paths=1, accept=1.0, max_seconds=600)
    once = agent.ask(QUESTION, limits=limits)
    assert len(once.tree.paths) == 1
    assert agent.settings.limits == PATIENT
    assert any("limit of 1 paths" in notice for notice in once.notices)


def test_without_a_path_it_is_told_what_was_found_and_what_is_missing(agent: Agent) -> None:
    answer = agent.ask(
        QUESTION, limits=Limits(max_paths=2, accept=1.0, abstain=0.99, max_seconds=600)
    )
    assert (answer.status, answer.answer, answer.citations) == ("abstained", None, ())
    assert answer.confidence == 0
    assert answer.text.startswith("I could not answer this from your documents. I tried 2 path")


def test_without_passages_the_model_answers_alone_and_says_so(
    empty: EmbeddedIndex, llama: LlamaCppChat, settings: Settings
) -> None:
    for index in (empty, None):
        settings = settings.model_copy(update={"index": None})
        answer = Agent(index, llama, settings=settings).ask("What is the capital of France?")
        assert answer.status == "closed_book"
        assert "Paris" in answer.text
        assert (answer.answer, answer.citations, answer.confidence) == (None, (), 0.0)
        assert any("No sources" in notice for notice in answer.notices)


# ── other models, other retrievers ────────────────────────────────────────────────────────────


def test_any_chat_model_can_write_the_answer(index: EmbeddedIndex, settings: Settings) -> None:
    model = FakeListChatModel(responses=[f"He was born on {ANSWER}, says [1] and [2]."])
    answer = Agent(index, model, settings=settings).ask(QUESTION)
    assert answer.text == f"He was born on {ANSWER}, says [1] and [2]."
    assert_sound(answer)


def test_a_model_that_loses_the_answer_cannot_hide_it(
    index: EmbeddedIndex, settings: Settings
) -> None:
    model = FakeListChatModel(responses=["I would rather talk about the weather."])
    answer = Agent(index, model, settings=settings).ask(QUESTION)
    assert answer.answer == ANSWER
    assert ANSWER in answer.text
    assert_sound(answer)


def test_any_retriever_can_be_passed_and_stays_open(settings: Settings) -> None:
    class Shelf:
        """Two passages, best first, whatever is asked."""

        closed = False
        passages: ClassVar = [
            Passage(id="a", title="Ada Roe", text="Ada Roe was born in Turku in 1911."),
            Passage(id="b", title="Turku", text="Turku is a city in Finland."),
        ]

        async def search(self, queries: Any, k: int = 10) -> list[list[Hit]]:
            hits = [Hit(passage=p, score=1 / (n + 1)) for n, p in enumerate(self.passages)]
            return [hits[:k] for _ in queries]

        async def get(self, ids: Any) -> list[Passage]:
            return [p for p in self.passages if p.id in ids]

        async def count(self) -> int:
            return len(self.passages)

        async def aclose(self) -> None:
            self.closed = True

    shelf = Shelf()
    model = FakeListChatModel(responses=["Turku [1]."])
    with Agent(shelf, model, settings=settings) as agent:
        answer = agent.ask("Where was Ada Roe born?")
    assert answer.citations[0].passage.id == "a"
    assert_sound(answer)
    assert not shelf.closed


# ── stopping ──────────────────────────────────────────────────────────────────────────────────


def test_closing_the_stream_stops_the_model(empty: EmbeddedIndex, settings: Settings) -> None:
    model = EndlessChat()
    stream = Agent(empty, model, settings=settings).stream("Go on for ever")
    while not isinstance(next(stream), Token):
        pass
    stream.close()
    written = model.tokens
    threading.Event().wait(0.05)

    assert model.tokens == written > 0
    assert not [t for t in threading.enumerate() if t.name == "hoptree-ask"]
    assert isinstance(traced(settings)[-1], RunFailed)


async def test_closing_the_async_stream_stops_the_model(
    empty: EmbeddedIndex, settings: Settings
) -> None:
    model = EndlessChat()
    stream = Agent(empty, model, settings=settings).astream("Go on for ever")
    async for event in stream:
        if isinstance(event, Token):
            break
    await stream.aclose()
    written = model.tokens
    await asyncio.sleep(0.05)

    assert model.tokens == written > 0
    assert isinstance(traced(settings)[-1], RunFailed)


async def test_cancelling_the_task_stops_the_model(
    empty: EmbeddedIndex, settings: Settings
) -> None:
    model = EndlessChat()
    task = asyncio.create_task(Agent(empty, model, settings=settings).aask("Go on for ever"))
    while not model.tokens:  # noqa: ASYNC110 - the model tells nobody
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    written = model.tokens
    await asyncio.sleep(0.05)
    assert model.tokens == written


def test_closing_the_stream_stops_llama_cpp_within_a_token(
    empty: EmbeddedIndex,
    llama: LlamaCppChat,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    llama.load()
    assert llama._loaded is not None
    native, sampled = llama._loaded.llama, 0
    sample, reached, left = native.sample, threading.Event(), threading.Event()

    def held(*args: Any, **kwargs: Any) -> Any:
        nonlocal sampled
        sampled += 1
        if sampled == 3:
            reached.set()
            left.wait(30)
        return sample(*args, **kwargs)

    monkeypatch.setattr(native, "sample", held)
    stream = Agent(empty, llama, settings=settings).stream("Tell a long story about the sea.")
    while not isinstance(next(stream), Token):
        pass
    reached.wait(30)
    stream.close()
    left.set()
    llama.invoke("Hi", max_tokens=1)  # waits for its turn behind the one that was left
    assert 3 <= sampled <= 3 + 1 + 1


def test_a_stream_that_was_never_begun_can_be_closed(agent: Agent) -> None:
    agent.stream(QUESTION).close()
    assert not list(agent.settings.traces.parent.glob("runs/*"))


# ── what is refused, and what goes wrong ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\0", "empty"),
        ("x" * 2001, "2,001 characters, more than the 2,000"),
        ("caf\udce9", "not valid UTF-8"),
    ],
)
def test_a_question_that_is_none_is_refused_before_anything_is_loaded(
    settings: Settings, question: str, said: str
) -> None:
    asked = Agent(settings=settings)
    with pytest.raises(QuestionError, match=said):
        asked.ask(question)
    assert asked._model is None and asked._retriever is None
    assert not settings.traces.exists()


def test_an_index_that_was_named_must_exist(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="nowhere"):
        Agent(tmp_path / "nowhere", settings=settings).ask("Who?")
    with pytest.raises(IndexNotFoundError, match="no-index-was-named"):
        Agent(settings=settings).ask("Who?")


def test_a_model_that_fails_is_told_and_the_next_question_is_answered(
    empty: EmbeddedIndex, settings: Settings
) -> None:
    model = EndlessChat(fails_at=3)
    agent = Agent(empty, model, settings=settings)
    with pytest.raises(RuntimeError, match="the server went away"):
        agent.ask("Go on")
    failed = traced(settings)[-1]
    assert isinstance(failed, RunFailed)
    assert failed.error == "RuntimeError: the server went away"

    stream = agent.stream("Go on")
    while not isinstance(next(stream), Token):
        pass
    stream.close()


def test_a_model_file_that_is_none_is_told(index: EmbeddedIndex, settings: Settings) -> None:
    bad = settings.traces.parent / "bad.gguf"
    bad.write_text("no model")
    with (
        pytest.raises(ModelError, match=r"bad\.gguf is not a GGUF file"),
        Agent(index, bad, settings=settings) as agent,
    ):
        agent.ask(QUESTION)


def test_a_trace_that_cannot_be_written_is_told(
    empty: EmbeddedIndex, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.traces.write_text("a file, not a folder")
    with pytest.raises(TraceError, match="HOPTREE_TRACES"):
        Agent(empty, FakeListChatModel(responses=["yes"]), settings=settings).ask("Who?")

    settings.traces.unlink()
    settings.traces.mkdir()
    (settings.traces / "full.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr("agent.api.new_run_id", lambda: "full")
    with pytest.raises(TraceError, match="No space left"):
        Agent(empty, FakeListChatModel(responses=["yes"]), settings=settings).ask("Who?")


# ── the trace ─────────────────────────────────────────────────────────────────────────────────


def test_the_trace_holds_exactly_what_was_streamed(run: tuple[list[Event], Settings]) -> None:
    events, settings = run
    assert traced(settings) == events


def test_every_model_call_is_in_the_trace_with_its_cost(
    run: tuple[list[Event], Settings],
) -> None:
    events, settings = run
    answer = answer_of(events)
    called = [event for event in traced(settings) if isinstance(event, ModelCalled)]
    assert len(called) == answer.usage.model_calls == 1
    assert called[0].output.strip() == answer.text
    assert QUESTION in called[0].prompt
    assert called[0].input_tokens == answer.usage.input_tokens


def test_the_trace_names_model_index_and_limits_but_no_password(
    index: EmbeddedIndex, settings: Settings
) -> None:
    model = FakeListChatModel(responses=["yes"])
    Agent(index, model, settings=settings).ask("Who?")
    [started, *_] = traced(settings)
    assert isinstance(started, RunStarted)
    assert started.settings["index"] == str(index.folder)
    assert started.settings["model"] == "FakeListChatModel"
    assert started.settings["max_paths"] == settings.limits.max_paths

    from agent.runs import place
    from retrievers.elastic import ElasticsearchRetriever

    remote = ElasticsearchRetriever.from_url("es+https://me:hunter2@example.org:9243/books")
    assert "example.org:9243/books" in str(place(remote))
    assert "hunter2" not in str(place(remote))


def test_an_index_in_a_folder_whose_name_is_not_utf8_can_be_asked(
    tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "caf\udce9"
    index = EmbeddedIndex.create(folder)
    index.index([Document(id="a", text="Ada Roe was born in Turku.")])
    answer = Agent(index, FakeListChatModel(responses=["x"]), settings=settings).ask("Ada Roe?")
    index.close()
    assert [passage.id for passage in answer.passages] == ["a"]
    [started, *_] = traced(settings)
    assert isinstance(started, RunStarted)
    assert started.settings["index"] == f"{tmp_path}/caf\\udce9"


# ── opening and closing ───────────────────────────────────────────────────────────────────────


async def test_an_agent_releases_what_it_opened_and_can_be_asked_again(
    empty: EmbeddedIndex, settings: Settings
) -> None:
    agent = Agent(empty.folder, settings=settings)
    with agent:  # inside a running event loop, as in a notebook
        first = await agent.aask("What is the capital of France?")
        model = agent._model
        assert isinstance(model, LlamaCppChat)
    assert agent._model is None and agent._retriever is None
    with pytest.raises(ModelError, match="closed"):
        model.invoke("Hi")
    async with agent:
        assert said(await agent.aask("What is the capital of France?")) == said(first)
    agent.close()
    agent.close()


def test_a_model_that_was_passed_stays_open(agent: Agent, llama: LlamaCppChat) -> None:
    agent.close()
    assert llama.invoke("Hi", max_tokens=1).content is not None


# ── the package ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", package.__all__)
def test_public_name_can_be_used_from_the_package(name: str) -> None:
    assert getattr(package, name) is not None
    assert name in dir(package)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = package.Nothing


@pytest.mark.parametrize(
    "statement",
    ["import agent", "from agent import Agent, Answer, Settings; Agent()", "import agent.cli"],
)
def test_importing_loads_no_engine(statement: str, tmp_path: Path) -> None:
    heavy = "{'llama_cpp', 'langgraph', 'elasticsearch', 'onnxruntime', 'spacy', 'jieba'}"
    check = f"{statement}; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]", done.stderr
