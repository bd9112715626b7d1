"""Where a setting comes from, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.settings import FILE, Settings, load_settings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no setting in the environment."""
    import os

    for name in [name for name in os.environ if name.startswith("HOPTREE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(content: str | bytes) -> None:
    Path(FILE).write_bytes(content.encode() if isinstance(content, str) else content)


def refusal(**given: object) -> str:
    with pytest.raises(UsageError) as raised:
        load_settings(given)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_defaults_name_folders_of_the_platform_and_no_model() -> None:
    settings = Settings()
    assert settings.model is None and settings.index is None
    assert settings.index_folder.name == "index" and settings.traces.name == "runs"
    assert settings.index_folder.is_absolute()


def test_argument_goes_before_environment_before_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("context = 1024\nthreads = 3\nmax_question = 10\n[limits]\nmax_paths = 2\npassages = 7\n")
    monkeypatch.setenv("HOPTREE_THREADS", "4")
    monkeypatch.setenv("HOPTREE_MAX_QUESTION", "20")
    monkeypatch.setenv("HOPTREE_LIMITS__MAX_PATHS", "5")
    settings = load_settings({"max_question": 30})

    assert (settings.context, settings.threads, settings.max_question) == (1024, 4, 30)
    assert (settings.limits.max_paths, settings.limits.passages) == (5, 7)


def test_tilde_is_the_home_folder_in_folders_and_files_but_not_in_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("HOPTREE_TRACES", "~/runs")
    write("model = '~/model.gguf'")
    settings = load_settings({"index": "~/books"})

    assert settings.index_folder == Path("/home/ada/books")
    assert settings.model == Path("/home/ada/model.gguf")
    assert settings.traces == Path("/home/ada/runs")
    for kept in ("es://~host:9200/~books", "books~", "~no-such-user/books"):
        assert load_settings({"index": kept}).index == kept


def test_variables_of_other_parts_do_not_disturb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOPTREE_CACHE", "/somewhere")
    monkeypatch.setenv("HOPTREE_ELASTICSEARCH_PASSWORD", "secret")
    assert load_settings({}) == Settings()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("threads = 0", "threads"),
        ("threads = 'many'", "threads"),
        ("thread = 2", "thread"),
        ("[limits]\nmax_paths = 1000", "limits.max_paths"),
        ("[limits]\nmax_path = 1", "limits.max_path"),
        ("limits = 3", "limits"),
    ],
)
def test_wrong_setting_in_the_file_is_named(content: str, named: str) -> None:
    write(content)
    message = refusal()
    assert f"the setting {named} is wrong" in message
    assert FILE in message


@pytest.mark.parametrize("content", ["threads = ", "not toml", b"index = '\xff'"])
def test_file_that_is_not_toml_is_named(content: str | bytes) -> None:
    write(content)
    assert f"{FILE} cannot be read" in refusal()


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("HOPTREE_THREADS", "two", "HOPTREE_THREADS"),
        ("HOPTREE_LIMITS__ACCEPT", "2", "HOPTREE_LIMITS__ACCEPT"),
        ("HOPTREE_LIMITS", "{broken", "limits"),
    ],
)
def test_wrong_variable_is_named(
    name: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert named in refusal()


def test_wrong_argument_is_named() -> None:
    assert "the setting context is wrong" in refusal(context=1)
