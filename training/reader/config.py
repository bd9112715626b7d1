"""The settings of a training run, read from `config.json` beside this file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """What a run depends on besides its data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    held_out_every: int
    """Every how-manieth hops question is held out."""
    held_out_passages: frozenset[str]
    """XQuAD passages whose questions are held out."""
    corpora: tuple[str, ...]
    cloze_passages: int
    encoder_rate: float
    head_rate: float
    dropout: float
    weight_decay: float
    batch: int
    warmup_steps: int
    negative_share: float
    """Passages without an answer per question."""
    window: int
    """Tokens of a training window: question, title and text together."""


def load_config() -> Config:
    """Read and check the settings."""
    text = Path(__file__).with_name("config.json").read_text(encoding="utf-8")
    return Config.model_validate_json(text)
