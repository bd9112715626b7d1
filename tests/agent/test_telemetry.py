"""Runs as OpenTelemetry spans, read back from the SDK's own exporter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from test_show import events as told_of

from agent.api import Agent
from agent.errors import ModelFileError
from agent.llama import LlamaCppChat
from agent.settings import Settings
from agent.telemetry import Spans, traced, wanted
from graph.events import Event, ModelCalled, PathOpened, Retrieved, RunFailed, RunStarted
from graph.types import Limits
from retrievers.embedded import EmbeddedIndex

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"


@pytest.fixture(scope="module")
def provider() -> tuple[TracerProvider, InMemorySpanExporter]:
    """What an application sets up before it uses hoptree: it can be done once a process."""
    exporter, made = InMemorySpanExporter(), TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(made)
    return made, exporter


@pytest.fixture
def exporter(provider: tuple[TracerProvider, InMemorySpanExporter]) -> InMemorySpanExporter:
    provider[1].clear()
    return provider[1]


def children(spans: tuple[ReadableSpan, ...], parent: ReadableSpan | None) -> list[str]:
    """Return the names of the spans right below one, in the order of their beginnings."""
    wanted = parent.context.span_id if parent is not None and parent.context else None
    below = [s for s in spans if (s.parent.span_id if s.parent else None) == wanted]
    return [s.name for s in sorted(below, key=lambda s: s.start_time or 0)]


def by_name(spans: tuple[ReadableSpan, ...], name: str) -> ReadableSpan:
    return next(span for span in spans if span.name.startswith(name))


@pytest.fixture(scope="module")
def index(sample_index: Path) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex.open(sample_index)
    yield opened
    opened.close()


def asked(index: EmbeddedIndex, llama: LlamaCppChat, folder: Path, **settings: bool) -> list[Event]:
    limits = Limits(max_seconds=600, accept=0.3)
    agent = Agent(index, llama, settings=Settings(traces=folder, limits=limits, **settings))
    return list(agent.stream(QUESTION))


# ── a whole run ───────────────────────────────────────────────────────────────────────────────


def test_a_run_is_a_tree_of_spans_with_the_times_of_its_events(
    exporter: InMemorySpanExporter, index: EmbeddedIndex, llama: LlamaCppChat, tmp_path: Path
) -> None:
    events = asked(index, llama, tmp_path, otel=True)
    spans = exporter.get_finished_spans()
    [root] = [span for span in spans if span.parent is None]
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert root.name == "invoke_agent hoptree"
    below = children(spans, root)
    assert below[0] == "path 1" and below[-1].startswith("chat ")
    path = by_name(spans, "path 1")
    assert children(spans, path) == ["retrieval", "read step 1", "retrieval", "read step 2"]

    started, ended = events[0], events[-1]
    assert (root.start_time, root.end_time) == (int(started.at * 1e9), int(ended.at * 1e9))
    opened = next(event for event in events if isinstance(event, PathOpened))
    assert path.start_time == int(opened.at * 1e9)
    assert all((span.end_time or 0) >= (span.start_time or 0) for span in spans)
    retrieved = next(event for event in events if isinstance(event, Retrieved))
    retrieval = by_name(spans, "retrieval")
    assert retrieval.end_time == int(retrieved.at * 1e9)
    assert retrieval.start_time == int((retrieved.at - retrieved.seconds) * 1e9)

    assert isinstance(started, RunStarted)
    assert root.attributes is not None
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["hoptree.run"] == started.run
    assert root.attributes["hoptree.status"] == "answered"
    [called] = [event for event in events if isinstance(event, ModelCalled)]
    chat = by_name(spans, "chat ").attributes
    assert chat is not None
    assert chat["gen_ai.operation.name"] == "chat"
    assert chat["gen_ai.request.model"] == started.settings["model"]
    assert chat["gen_ai.usage.input_tokens"] == called.input_tokens
    assert chat["gen_ai.usage.output_tokens"] == called.output_tokens
    assert chat["gen_ai.response.finish_reasons"] == ("stop",)
    assert root.attributes["gen_ai.usage.input_tokens"] == called.input_tokens
    assert [event.name for event in path.events] == ["verdict", "verdict"]
    assert path.attributes is not None and path.attributes["hoptree.path.outcome"] == "solved"


@pytest.mark.parametrize("content", [False, True])
def test_content_is_told_only_where_it_is_asked_for(
    exporter: InMemorySpanExporter,
    index: EmbeddedIndex,
    llama: LlamaCppChat,
    tmp_path: Path,
    content: bool,
) -> None:
    asked(index, llama, tmp_path, otel=True, otel_content=content)
    spans = exporter.get_finished_spans()
    everything = " ".join(span.to_json() for span in spans)
    assert ("Manne-Hole" in everything) is content
    assert ("September 23" in everything) is content
    attributes = by_name(spans, "chat ").attributes
    assert attributes is not None
    assert ("gen_ai.input.messages" in attributes) is content
    if content:
        [message] = json.loads(str(attributes["gen_ai.output.messages"]))
        assert message["role"] == "assistant" and message["finish_reason"] == "stop"


# ── runs that do not end well ─────────────────────────────────────────────────────────────────


def test_an_error_is_told_on_the_root_and_every_span_ends(
    exporter: InMemorySpanExporter, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    spans = Spans(provider[0].get_tracer("test"))
    for event in told_of()[:4]:  # a path is open
        spans.add(event)
    spans.add(RunFailed(error="RuntimeError: the secret went away"))
    spans.end()
    made = exporter.get_finished_spans()
    root = by_name(made, "invoke_agent")
    assert {span.name for span in made} == {"invoke_agent hoptree", "path 1"}
    assert root.status.status_code is StatusCode.ERROR
    assert root.attributes is not None and root.attributes["error.type"] == "RuntimeError"
    assert root.events[-1].name == "exception"
    assert "secret" not in root.to_json()


def test_the_adapter_that_plans_is_told_on_the_root_by_the_name_of_its_file(
    exporter: InMemorySpanExporter, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    begun = told_of()[0]
    assert isinstance(begun, RunStarted)
    named = {**begun.settings, "planner_lora": "/secret/plans.gguf"}
    spans = Spans(provider[0].get_tracer("test"))
    spans.add(begun.model_copy(update={"settings": named}))
    spans.end()
    [root] = exporter.get_finished_spans()
    assert root.attributes is not None
    assert root.attributes["hoptree.planner_lora"] == "plans.gguf"


async def test_what_breaks_or_stops_a_run_is_recorded_and_raised(
    exporter: InMemorySpanExporter,
) -> None:
    async def breaking() -> AsyncGenerator[Event, None]:
        yield told_of()[0]
        raise ModelFileError("no such model")

    with pytest.raises(ModelFileError):
        _ = [event async for event in traced(breaking(), Settings(otel=True))]
    [root] = exporter.get_finished_spans()
    assert root.status.status_code is StatusCode.ERROR
    assert root.attributes is not None and root.attributes["error.type"] == "ModelFileError"


def test_paths_that_were_left_say_why_and_nothing_of_the_next_is_below_them(
    exporter: InMemorySpanExporter, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    spans = Spans(provider[0].get_tracer("test"))
    for event in told_of():
        spans.add(event)
    spans.end()
    made = exporter.get_finished_spans()
    assert children(made, by_name(made, "invoke_agent")) == ["path 1", "path 2"]
    outcomes = [(s.attributes or {}).get("hoptree.path.outcome") for s in made[:2]]
    assert outcomes == ["nothing_read", "solved"]


def test_a_clock_that_is_set_back_makes_no_span_end_before_the_run_began(
    exporter: InMemorySpanExporter, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    spans = Spans(provider[0].get_tracer("test"))
    first, *rest = told_of()
    spans.add(first.model_copy(update={"at": first.at + 3600}))
    for event in rest:
        spans.add(event)
    spans.end()
    root = by_name(exporter.get_finished_spans(), "invoke_agent")
    assert (root.end_time or 0) >= (root.start_time or 0)


# ── off, on, and missing ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("otel", "environment", "on"),
    [
        (None, {}, False),
        (True, {}, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        (None, {"OTEL_TRACES_EXPORTER": "console"}, True),
        (None, {"OTEL_TRACES_EXPORTER": "none"}, False),
        (False, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        (True, {"OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_spans_are_made_only_where_they_are_asked_for(
    otel: bool | None, environment: dict[str, str], on: bool
) -> None:
    assert wanted(Settings(otel=otel), environment) is on


def test_without_spans_opentelemetry_is_not_even_loaded() -> None:
    code = (
        "import sys; from agent import Agent; from agent.telemetry import tracer;"
        "from agent.settings import Settings; tracer(Settings());"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(("otel", "code"), [("True", 2), ("None", 0)])
def test_where_it_is_not_installed_who_asked_is_told_what_to_install(otel: str, code: int) -> None:
    script = f"""
import os, sys
sys.modules["opentelemetry.sdk.trace"] = None
os.environ["OTEL_TRACES_EXPORTER"] = "console"
from agent.errors import UsageError
from agent.settings import Settings
from agent.telemetry import tracer
try:
    assert tracer(Settings(otel={otel})) is None
except UsageError as error:
    assert "pip install 'hoptree[otel]'" in str(error)
    sys.exit(2)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == code
