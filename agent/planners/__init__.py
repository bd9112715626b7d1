"""Adapters that plan: LoRAs over the local model, for its planning calls alone.

One ships, over the model that ships. Trained here (see training/README.md); what is known of it
stands on its card.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import ModelFileError
from agent.gguf import default_model
from retrievers.analysis import Language

SHIPPED: Final = "shipped"
"""The adapter that ships, over the model that ships; none over any other."""
NONE: Final = "none"
WEIGHTS = Path(__file__).with_name("planner-en.gguf")
"""A GGUF LoRA, with its card (`Card`) beside it, under the same name in `.json`."""
_REMEDY = "install hoptree again, or do without it: HOPTREE_PLANNER_LORA=none"


class Card(BaseModel):
    """What is known of the adapter that ships."""

    model_config = ConfigDict(extra="allow", frozen=True)

    sha256: str
    languages: frozenset[Language]
    """Of the questions that it was trained to plan."""


@dataclass(frozen=True)
class Adapter:
    """An adapter as a run uses it."""

    name: str
    """As the setting names it: `shipped`, or the path."""
    path: Path
    languages: frozenset[Language] = frozenset(get_args(Language))
    """Of the questions that it is asked to plan. One that a person names is asked in all."""
    sha256: str | None = None
    """Digest that the file must have; None where none is known."""

    def checked(self) -> Path:
        """Return the path of the file.

        Raises
        ------
        ModelFileError
            Where the file is the one that ships, and is missing or was changed.
        """
        if self.sha256 is not None:
            digest = hashlib.sha256(_contents(self.path)).hexdigest()
            if digest != self.sha256:
                raise ModelFileError(
                    f"the adapter {self.path} is not the one that its card names: {_REMEDY}"
                )
        return self.path


def adapter_of(model: Path | None, named: str) -> Adapter | None:
    """Return the adapter that a model plans with, if any.

    Parameters
    ----------
    model
        A GGUF file. None: the model that ships.
    named
        `SHIPPED`, `NONE`, or the path of a GGUF LoRA of the model.

    Raises
    ------
    ModelFileError
        Where the card of the adapter that ships cannot be read.
    """
    if named == NONE:
        return None
    if named != SHIPPED:
        return Adapter(name=named, path=Path(named).expanduser())
    if not _ships(model):
        return None
    card = _card(WEIGHTS.with_suffix(".json"))
    return Adapter(name=SHIPPED, path=WEIGHTS, languages=card.languages, sha256=card.sha256)


def _ships(model: Path | None) -> bool:
    """Whether this is the model that ships, by its place: a digest would take its time."""
    if model is None:
        return True
    try:
        return model.expanduser().samefile(default_model())
    except (OSError, ModelFileError):
        return False


@functools.cache
def _card(path: Path) -> Card:
    try:
        return Card.model_validate_json(_contents(path))
    except ValidationError as error:
        raise ModelFileError(f"the adapter's card {path} is damaged: {_REMEDY}") from error


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}: {_REMEDY}") from error
