"""An adapter beside the real model: it changes the calls that ask for it, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adapters import written
from langchain_core.messages import AIMessage

from agent.doctor import examine
from agent.errors import ModelFileError
from agent.llama import LlamaCppChat, default_model
from agent.settings import Settings, load_settings

QUESTION = "What is the capital of France?"


def chat(adapter: Path) -> LlamaCppChat:
    return LlamaCppChat(planner_lora=str(adapter), n_ctx=256, n_threads=1)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCppChat]:
    """The model with an adapter that is random and large."""
    model = chat(written(tmp_path_factory.mktemp("lora") / "random.gguf", size=1.0))
    yield model
    model.close()


def said(model: LlamaCppChat, lora: bool, question: str = QUESTION) -> AIMessage:
    return model.invoke(question, max_tokens=8, planner_lora=lora)


def test_only_calls_that_ask_for_the_adapter_are_computed_with_it(
    llama: LlamaCppChat, adapted: LlamaCppChat
) -> None:
    plain = said(llama, False).text
    answers = [said(adapted, lora).text for lora in (False, True, False, True)]
    assert answers[0] == answers[2] == plain
    assert answers[1] == answers[3] != plain


def test_nothing_evaluated_without_the_adapter_is_reused_with_it(tmp_path: Path) -> None:
    model = chat(written(tmp_path / "random.gguf", size=1.0))
    question = "Name the rivers of Austria, Hungary and Serbia, one after another. " * 3
    length = model.get_num_tokens(question)

    def reused(lora: bool) -> int:
        usage = said(model, lora, question).usage_metadata
        assert usage is not None
        return usage["input_token_details"]["cache_read"]

    assert [reused(False), reused(True)] == [0, 0]
    # What was evaluated the same way stays warm over the switches.
    assert all(reused(lora) > length for lora in (False, True, True, False))
    model.close()


def test_an_adapter_of_zeros_changes_nothing(llama: LlamaCppChat, tmp_path: Path) -> None:
    model = chat(written(tmp_path / "zero.gguf", size=0.0))
    assert said(model, True).text == said(llama, False).text
    model.close()


def test_a_model_without_an_adapter_answers_as_ever(llama: LlamaCppChat) -> None:
    model = LlamaCppChat(planner_lora="none", n_ctx=256, n_threads=1)
    assert said(model, True).text == said(model, False).text == said(llama, False).text
    model.close()


def _missing(folder: Path) -> Path:
    return folder / "missing.gguf"


def _notes(folder: Path) -> Path:
    path = folder / "notes.gguf"
    path.write_text("not an adapter")
    return path


def _other_architecture(folder: Path) -> Path:
    return written(folder / "qwen.gguf", architecture="qwen2", size=1.0)


def _other_size(folder: Path) -> Path:
    return written(folder / "wide.gguf", width=64, size=1.0)


def _a_model(folder: Path) -> Path:
    return default_model()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_missing, "No such file"),
        (_notes, "is not a GGUF file"),
        (_other_architecture, "arch mismatch"),
        (_other_size, "incorrect shape"),
        (_a_model, "does not fit"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_adapter_that_cannot_be_used_is_named_with_the_reason_and_the_remedy(
    tmp_path: Path, make: Callable[[Path], Path], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    with pytest.raises(ModelFileError) as raised:
        chat(path).load()
    message = str(raised.value)
    assert reason in message
    assert str(path) in message
    assert "HOPTREE_PLANNER_LORA" in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""


def test_the_setting_names_it_and_the_doctor_says_whether_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(path: Path) -> tuple[str, str]:
        monkeypatch.setenv("HOPTREE_PLANNER_LORA", str(path))
        settings: Settings = load_settings({"traces": tmp_path / "runs"})
        found = next(f for f in examine(settings) if f.name == "model")
        return found.status, found.detail

    status, detail = looked_at(written(tmp_path / "mine.gguf", size=0.0))
    assert (status, "mine.gguf" in detail) == ("ok", True)
    status, detail = looked_at(_other_architecture(tmp_path))
    assert (status, "does not fit" in detail) == ("fault", True)
