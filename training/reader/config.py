"""The settings of a training run, read from `config-*.json` and `rows-en.json` beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from retrievers.analysis import Language

_HERE = Path(__file__).parent


class Config(BaseModel):
    """What a run depends on besides its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    seed: int
    encoder_rate: float
    head_rate: float
    dropout: float
    weight_decay: float
    batch: int
    steps: int
    warmup_steps: int
    negative_share: float
    """Passages without an answer per question."""
    window: int
    """Tokens of a training window: question, title and text together."""
    frozen: int
    """Parts that are not trained, from below: the embeddings, then the layers."""
    precision: Literal["float32", "bfloat16"]
    """What steps are computed in; the weights are kept in float32."""


class EnglishRows(BaseModel):
    """How the English rows are chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    held_out_every: int
    """Every how-manieth hops question is held out."""
    held_out_passages: frozenset[str]
    """XQuAD passages whose questions are held out."""
    spared_every: int
    """Every how-manieth hops question, and about that part of XQuAD's passages, a reader is trained
    without for the vote's scorer to learn from how it reads what it never saw."""
    corpora: tuple[str, ...]
    harvested: int
    cloze_passages: int
    xquad_times: int
    """How many times XQuAD's rows are among the others: they alone were asked by people."""

    def spares_question(self, number: int) -> bool:
        """Return whether a hops question, by its number, is spared; those held out are not."""
        return number % self.held_out_every != 0 and number % self.spared_every == 1

    def spares_passage(self, passage: str) -> bool:
        """Return whether an XQuAD passage, by its hexadecimal id, is spared."""
        return passage not in self.held_out_passages and int(passage, 16) % self.spared_every == 1


def load_config(language: Language) -> Config:
    """Read and check the settings of a language's reader."""
    text = (_HERE / f"config-{language}.json").read_text(encoding="utf-8")
    return Config.model_validate_json(text)


def english_rows() -> EnglishRows:
    """Read and check how the English rows are chosen."""
    return EnglishRows.model_validate_json((_HERE / "rows-en.json").read_text(encoding="utf-8"))
