"""The adapter that ships, over the real model: when it plans, and what is said of a damaged one."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from agent import planners
from agent.api import Agent
from agent.doctor import examine
from agent.errors import ModelFileError
from agent.llama import LlamaCppChat, default_model
from agent.planners import NONE, SHIPPED, WEIGHTS, Card, adapter_of
from agent.settings import Settings
from agent.warm import WarmPrompts
from graph.events import Event, ModelCalled, RunStarted
from graph.nodes.planning import PLAN_TOKENS
from graph.planning import by_language, propose
from graph.planning.check import rank
from graph.planning.model import plan_prompt
from graph.types import Limits

QUESTION = "On which label did Live at Shelly's Manne-Hole come out?"
CHINESE = "《灵笼》有什么含义？"
PATIENT = Limits(max_seconds=600, accept=0.3)


@pytest.fixture(scope="module")
def copied_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A GGUF file that is not the one that ships, though it holds the same."""
    copy = tmp_path_factory.mktemp("model") / "copy.gguf"
    shutil.copyfile(default_model(), copy)
    yield copy
    copy.unlink()


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the adapter and its card, which hoptree takes for those that ship."""
    weights = tmp_path / WEIGHTS.name
    shutil.copy(WEIGHTS, weights)
    shutil.copy(WEIGHTS.with_suffix(".json"), weights.with_suffix(".json"))
    monkeypatch.setattr(planners, "WEIGHTS", weights)
    return weights


@pytest.fixture
def adapted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call of a local model was computed with its adapter."""
    told: list[bool] = []
    turn = WarmPrompts.turn

    def watched(warm: WarmPrompts, tokens: list[int], wanted: bool) -> None:
        turn(warm, tokens, wanted)
        told.append(warm._model.adapted)

    monkeypatch.setattr(WarmPrompts, "turn", watched)
    return told


def asked(
    question: str, index: Path, traces: Path, lora: str = SHIPPED, model: Path | None = None
) -> list[Event]:
    settings = Settings(
        traces=traces, threads=1, context=2048, limits=PATIENT, model=model, planner_lora=lora
    )
    with Agent(str(index), settings=settings) as agent:
        return list(agent.stream(question))


def calls(events: list[Event]) -> list[ModelCalled]:
    return [event for event in events if isinstance(event, ModelCalled)]


def as_prompt(question: str, trained: bool) -> str:
    return f"[{HumanMessage('').type}] {plan_prompt(question, trained=trained)}"


# ── the file ──────────────────────────────────────────────────────────────────────────────────


def test_the_card_is_that_of_the_adapter_and_of_the_model_that_ships() -> None:
    card = Card.model_validate_json(WEIGHTS.with_suffix(".json").read_bytes())
    told = card.model_dump()
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == card.sha256
    assert WEIGHTS.stat().st_size == told["bytes"] < 6e6
    base = default_model()
    assert base.stat().st_size == told["base"]["bytes"]
    assert hashlib.sha256(base.read_bytes()).hexdigest() == told["base"]["sha256"]


def _changed(weights: Path) -> Path:
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    return weights


def _cut(weights: Path) -> Path:
    weights.write_bytes(weights.read_bytes()[:1000])
    return weights


def _missing(weights: Path) -> Path:
    weights.unlink()
    return weights


def _damaged_card(weights: Path) -> Path:
    card = weights.with_suffix(".json")
    card.write_text('{"sha256": 3}', encoding="utf-8")
    return card


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_changed, "is not the one that its card names"),
        (_cut, "is not the one that its card names"),
        (_missing, "cannot be read: No such file"),
        (_damaged_card, "is damaged"),
    ],
)
def test_a_damaged_adapter_is_named_with_what_to_do(
    shipped: Path, damage: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    path = damage(shipped)
    model = LlamaCppChat(n_ctx=64, n_threads=1)
    with pytest.raises(ModelFileError) as raised:
        model.load()
    message = str(raised.value)
    assert reason in message and str(path) in message and "\n" not in message
    assert "HOPTREE_PLANNER_LORA=none" in message
    found = next(f for f in examine(Settings(traces=tmp_path)) if f.name == "model")
    assert (found.status, reason in found.detail) == ("fault", True)
    without = LlamaCppChat(n_ctx=64, n_threads=1, planner_lora=NONE)
    without.load()
    without.close()


# ── whose it is ───────────────────────────────────────────────────────────────────────────────


def test_it_belongs_to_the_model_that_ships_wherever_that_is_named(
    tmp_path: Path, copied_model: Path
) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(default_model())
    for model in (None, default_model(), link):
        found = adapter_of(model, SHIPPED)
        assert found is not None
        assert (found.path, found.name, found.languages) == (WEIGHTS, SHIPPED, {"en"})
        assert adapter_of(model, NONE) is None
    for other in (copied_model, tmp_path / "none.gguf"):
        assert adapter_of(other, SHIPPED) is None


def test_an_adapter_that_a_person_names_plans_in_both_languages_for_any_model(
    copied_model: Path,
) -> None:
    for model in (None, copied_model):
        found = adapter_of(model, "mine.gguf")
        assert found is not None
        assert (found.name, found.languages) == ("mine.gguf", {"en", "zh"})


def test_the_setting_is_shipped_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().planner_lora == SHIPPED
    for none in ("none", "None", ""):
        monkeypatch.setenv("HOPTREE_PLANNER_LORA", none)
        assert Settings().planner_lora == NONE
    assert Settings.model_validate({"planner_lora": None}).planner_lora == NONE
    monkeypatch.setenv("HOPTREE_PLANNER_LORA", "./none")
    assert Settings().planner_lora == Path("none")


# ── in a run ──────────────────────────────────────────────────────────────────────────────────


def test_an_english_question_without_a_plan_is_planned_with_it_and_worded_without(
    sample_index: Path, tmp_path: Path, adapted: list[bool]
) -> None:
    assert rank(QUESTION, by_language(QUESTION)) == []
    events = asked(QUESTION, sample_index, tmp_path)
    planned, worded = calls(events)
    assert (planned.purpose, worded.purpose) == ("plan", "compose")
    assert planned.prompt == as_prompt(QUESTION, trained=True)
    assert adapted == [True, False]
    [begin] = [event for event in events if isinstance(event, RunStarted)]
    assert begin.settings["planner_lora"] == SHIPPED


def test_a_chinese_question_is_not_planned_with_it(
    sample_index: Path, tmp_path: Path, adapted: list[bool]
) -> None:
    assert rank(CHINESE, by_language(CHINESE)) == []
    [planned, *_] = calls(asked(CHINESE, sample_index, tmp_path))
    assert planned.prompt == as_prompt(CHINESE, trained=False)
    assert adapted and not any(adapted)


@pytest.mark.parametrize("other", [False, True], ids=["none", "another model"])
def test_it_is_not_loaded_where_it_is_not_wanted(
    other: bool, sample_index: Path, tmp_path: Path, adapted: list[bool], copied_model: Path
) -> None:
    how = {"model": copied_model} if other else {"lora": NONE}
    events = asked(QUESTION, sample_index, tmp_path, **how)  # type: ignore[arg-type]
    [planned, *_] = calls(events)
    assert planned.prompt == as_prompt(QUESTION, trained=False)
    assert adapted and not any(adapted)
    [begin] = [event for event in events if isinstance(event, RunStarted)]
    assert "planner_lora" not in begin.settings


async def test_it_finds_plans_where_grammar_finds_none(llama: LlamaCppChat) -> None:
    questions = [
        "Was Marie Curie alive when penicillin was discovered?",
        "Did Albert Einstein live to see the first moon landing?",
        "Who played piano at Shelly's Manne-Hole on New Year's Eve 1965?",
    ]

    async def complete(prompt: str, schema: dict[str, object]) -> str:
        options = {"max_tokens": PLAN_TOKENS, "json_schema": schema, "planner_lora": True}
        return str((await llama.ainvoke(prompt, **options)).text)

    best = [(await propose(question, complete, trained=True))[0] for question in questions]
    assert not any(rank(question, by_language(question)) for question in questions)
    assert any(plan.planner == "model" and len(plan.steps) > 1 for plan in best)
