"""The settings of the adapter's training: `adapter.json`. No torch is needed to read them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

CONFIG = Path(__file__).with_name("adapter.json")


class Config(BaseModel):
    """What a run depends on besides its data and its model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    held_out_every: int = Field(ge=2)
    """Every how-manieth question of each source is held out, as in config.json."""
    most: dict[str, int]
    """Most training rows of a source; of others all are taken. Composed ones are made, so many."""
    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)
    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    rate: float = Field(gt=0)
    """Highest learning rate of AdamW: reached after `warm_up` steps, it falls as a cosine does."""
    warm_up: int = Field(ge=1)
    decay: float = Field(ge=0)
    clip: float = Field(gt=0)
    """Greatest norm of a step's gradient."""


def load_config() -> Config:
    """Read and check the settings."""
    return Config.model_validate_json(CONFIG.read_text(encoding="utf-8"))
