"""What an examination of an index found, for `hoptree doctor`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: Literal["ok", "warning", "fault"]
    detail: str
    remedy: str = ""
    """What to do; empty where nothing need be done."""
