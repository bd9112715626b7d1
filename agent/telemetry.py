"""Runs as OpenTelemetry spans, after the semantic conventions for generative AI.

Off unless asked for: by the setting `otel`, or by OpenTelemetry's own environment variables. An
application that has set up OpenTelemetry gets the spans where it wants them; otherwise they go out
as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_EXPORTER say. Langfuse, Phoenix and Jaeger show them.

    invoke_agent hoptree
    ├── chat MODEL                 planning, where grammar found no plan
    ├── path 1
    │   ├── retrieval              one round trip, for all sub-questions that were ready
    │   └── read step 1            with an event for its verdict
    └── chat MODEL                 composing the answer

Times are those of the run's own events. Questions, passages and what the model was told and said
leave the machine only where `otel_content` is set.

See https://opentelemetry.io/docs/specs/semconv/gen-ai/.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import UsageError
from graph.events import (
    Answered,
    CandidatesRead,
    Event,
    ModelCalled,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunFailed,
    RunResumed,
    RunStarted,
    Voted,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from agent.settings import Settings

NAME = "hoptree"
_STANDARD = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)
_MISSING = (
    "OpenTelemetry was asked for (the setting otel, HOPTREE_OTEL), but {what} is not installed: "
    "pip install 'hoptree[otel]'"
)
Value = str | bool | int | float | list[str]


# ── whether, and where to ─────────────────────────────────────────────────────────────────────


def wanted(settings: Settings, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether spans are made: as the setting says, else as OpenTelemetry's variables do."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if settings.otel is not None:
        return settings.otel
    exporter = environment.get("OTEL_TRACES_EXPORTER")
    return exporter != "none" and any(environment.get(name) for name in _STANDARD)


def tracer(settings: Settings) -> Tracer | None:
    """Return what spans are made with; None where none are wanted.

    Raises
    ------
    UsageError
        Where the setting asks for spans and OpenTelemetry is not installed. Where only its own
        variables do, they were meant for something else, and there are none.
    """
    if not wanted(settings):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError as error:
        if settings.otel is None:
            return None
        raise UsageError(_MISSING.format(what="its SDK")) from error
    provider: TracerProvider | Any = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):  # nobody has set it up
        try:
            provider = _own_provider(os.environ.get("OTEL_TRACES_EXPORTER", "otlp"))
        except ImportError as error:
            if settings.otel is None:
                return None
            raise UsageError(_MISSING.format(what="its OTLP exporter")) from error
    return provider.get_tracer(NAME)


@functools.cache
def _own_provider(exporter: str) -> TracerProvider:
    """Return a provider that exports as the environment says; what waits is sent at exit."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SpanExporter,
    )

    sink: SpanExporter
    if exporter == "console":
        sink = ConsoleSpanExporter()
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        sink = OTLPSpanExporter()
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before our name.
    service = os.environ.get("OTEL_SERVICE_NAME", NAME)
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    provider.add_span_processor(BatchSpanProcessor(sink))
    return provider


async def traced(
    events: AsyncGenerator[Event, None], settings: Settings
) -> AsyncGenerator[Event, None]:
    """Yield the events of a run, and make its spans where they are wanted."""
    made_with = tracer(settings)
    async with contextlib.aclosing(events):
        if made_with is None:
            async for event in events:
                yield event
            return
        spans = Spans(made_with, content=settings.otel_content)
        try:
            async for event in events:
                spans.add(event)
                yield event
        except BaseException as error:
            spans.fail(error)
            raise
        finally:
            spans.end()


# ── spans ─────────────────────────────────────────────────────────────────────────────────────


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)


class Spans:
    """Makes the spans of one run from its events, in the order in which they come.

    Parameters
    ----------
    tracer
        What they are made with. The first is a child of the span that is current, if any is.
    content
        Whether they hold questions, passages, prompts and answers.
    """

    def __init__(self, tracer: Tracer, *, content: bool = False) -> None:
        self._tracer = tracer
        self._content = content
        self._root: Span | None = None
        self._path: Span | None = None
        self._model = ""
        self._last = 0.0
        """When the last event happened, in seconds since the epoch."""
        self._tokens = [0, 0]

    def add(self, event: Event) -> None:
        """Take one event."""
        self._last = max(self._last, event.at)
        match event:
            case RunStarted() | RunResumed() if self._root is None:
                self._begin(event)
            case Planned():
                self._note("plan", event.at, {"hoptree.plans": len(event.plans)})
            case PathOpened():
                self._end_path(event.at)
                self._path = self._start(
                    f"path {event.number}",
                    event.at,
                    {"hoptree.path": event.number, "hoptree.plan": event.path.plan + 1},
                    {"hoptree.path.origin": event.path.origin},
                )
            case PathSolved():
                told = {"hoptree.path.confidence": event.outcome.confidence}
                self._end_path(event.at, {"hoptree.path.outcome": "solved", **told})
            case PathLeft():
                self._end_path(event.at, {"hoptree.path.outcome": event.failure.reason.value})
            case Retrieved():
                self._retrieved(event)
            case CandidatesRead():
                self._done(
                    f"read step {event.step}",
                    event.at,
                    event.seconds,
                    {"hoptree.step": event.step, "hoptree.candidates": len(event.candidates)},
                    {"hoptree.question": event.question},
                )
            case Voted():
                self._voted(event)
            case ModelCalled():
                self._model_called(event)
            case Notice():
                self._note("notice", event.at, {}, {"hoptree.notice": event.text})
            case Answered():
                self._answered(event)
            case RunFailed():
                self._failed(event.error.partition(":")[0], event.error)
            case _:
                pass

    def fail(self, error: BaseException) -> None:
        """Take what ended the run before its answer."""
        self._failed(type(error).__name__, f"{type(error).__name__}: {error}")

    def end(self) -> None:
        """End what is open, when no more comes."""
        self._end_path(self._last)
        root, self._root = self._root, None
        if root is not None:
            root.set_attribute("gen_ai.usage.input_tokens", self._tokens[0])
            root.set_attribute("gen_ai.usage.output_tokens", self._tokens[1])
            root.end(_nanoseconds(self._last))

    # ── one kind of event each ────────────────────────────────────────────────────────────────

    def _begin(self, event: RunStarted | RunResumed) -> None:
        self._model = str(event.settings.get("model") or "unknown").rpartition("/")[2]
        told: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": NAME,
            "gen_ai.agent.name": NAME,
            "gen_ai.request.model": self._model,
            "hoptree.run": event.run,
        }
        if (adapter := event.settings.get("planner_lora")) is not None:
            told["hoptree.planner_lora"] = str(adapter).rpartition("/")[2]
        asked: dict[str, Value] = {}
        if isinstance(event, RunStarted):
            told["hoptree.language"] = event.language
            if event.forked_from is not None:
                told["hoptree.forked_from"] = event.forked_from
            asked["gen_ai.input.messages"] = _messages("user", event.question)
        self._root = self._start(f"invoke_agent {NAME}", event.at, told, asked)

    def _retrieved(self, event: Retrieved) -> None:
        found = [
            [{"id": hit.passage.id, "score": hit.score} for hit in hits] for hits in event.hits
        ]
        content: dict[str, Value] = {
            "gen_ai.retrieval.query.text": "\n".join(event.queries),
            "gen_ai.retrieval.documents": json.dumps([d for each in found for d in each]),
        }
        told: dict[str, Value] = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.provider.name": NAME,
            "hoptree.queries": len(event.queries),
            "hoptree.passages": sum(map(len, event.hits)),
        }
        self._done("retrieval", event.at, event.seconds, told, content)

    def _model_called(self, event: ModelCalled) -> None:
        from opentelemetry.trace import SpanKind

        self._tokens[0] += event.input_tokens
        self._tokens[1] += event.output_tokens
        told: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": NAME,
            "gen_ai.request.model": self._model,
            "gen_ai.usage.input_tokens": event.input_tokens,
            "gen_ai.usage.output_tokens": event.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": event.cached_tokens,
            "gen_ai.response.finish_reasons": [event.finish_reason],
            "hoptree.purpose": event.purpose,
        }
        content: dict[str, Value] = {
            "gen_ai.input.messages": _messages("user", event.prompt),
            "gen_ai.output.messages": _messages("assistant", event.output, event.finish_reason),
        }
        name = f"chat {self._model}"
        self._done(name, event.at, event.seconds, told, content, kind=SpanKind.CLIENT)

    def _voted(self, event: Voted) -> None:
        verdict, failure = event.result.verdict, event.result.failure
        told: dict[str, Value] = {
            "hoptree.step": event.step,
            "hoptree.remembered": event.remembered,
        }
        if verdict is not None:
            told |= {"hoptree.confidence": verdict.confidence, "hoptree.margin": verdict.margin}
        if failure is not None:
            told["hoptree.failure"] = failure.reason.value
        said: dict[str, Value] = {"hoptree.question": event.result.question}
        if verdict is not None:
            said["hoptree.answer"] = verdict.answer
        self._note("verdict", event.at, told, said)

    def _answered(self, event: Answered) -> None:
        self._end_path(event.at)
        if self._root is None:
            return
        self._root.set_attribute("hoptree.status", event.status)
        self._root.set_attribute("hoptree.confidence", event.confidence)
        self._root.set_attribute("hoptree.citations", len(event.citations))
        if self._content:
            said = _messages("assistant", event.text, "stop")
            self._root.set_attribute("gen_ai.output.messages", said)

    # ── making them ───────────────────────────────────────────────────────────────────────────

    def _start(
        self,
        name: str,
        at: float,
        told: Mapping[str, Value],
        content: Mapping[str, Value],
        **options: Any,
    ) -> Span:
        from opentelemetry.trace import set_span_in_context

        parent = self._path if self._path is not None else self._root
        return self._tracer.start_span(
            name,
            context=set_span_in_context(parent) if parent is not None else None,
            start_time=_nanoseconds(at),
            attributes={**told, **(content if self._content else {})},
            **options,
        )

    def _done(
        self,
        name: str,
        at: float,
        seconds: float,
        told: Mapping[str, Value],
        content: Mapping[str, Value],
        **options: Any,
    ) -> None:
        """Make the span of what took some seconds and has just ended."""
        self._start(name, at - seconds, told, content, **options).end(_nanoseconds(at))

    def _note(
        self, name: str, at: float, told: Mapping[str, Value], content: Mapping[str, Value] = {}
    ) -> None:
        """Add an event to the span that is open."""
        span = self._path if self._path is not None else self._root
        if span is not None:
            attributes = {**told, **(content if self._content else {})}
            span.add_event(name, attributes, _nanoseconds(at))

    def _end_path(self, at: float, told: Mapping[str, Value] | None = None) -> None:
        path, self._path = self._path, None
        if path is not None:
            path.set_attributes(dict(told or {}))
            path.end(_nanoseconds(at))

    def _failed(self, kind: str, said: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._end_path(self._last, {"hoptree.path.outcome": "stopped"})
        if self._root is not None:
            self._root.set_attribute("error.type", kind)
            # What an error says may quote what was asked.
            told = said if self._content else kind
            self._root.set_status(Status(StatusCode.ERROR, told))
            self._root.add_event(
                "exception",
                {"exception.type": kind, "exception.message": told},
                _nanoseconds(self._last),
            )


def _messages(role: str, text: str, finish_reason: str | None = None) -> str:
    """Return a message in the form of the conventions' JSON schema."""
    message: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return json.dumps([message], ensure_ascii=False)
