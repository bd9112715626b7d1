"""The results file: one JSON line a question, appended as it is answered, never rewritten."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agent.errors import EvaluationError
from agent.evaluation.dataset import told


class EvalRow(BaseModel):
    """What one system answered to one question, with its scores."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    fingerprint: str
    """Of the system and its settings: rows of other settings in the same file are left alone."""
    id: str
    question: str
    answer: str
    aliases: tuple[str, ...] = ()
    type: str = ""
    hops: int = 1
    status: Literal["answered", "abstained", "error"]
    prediction: str | None = None
    error: str | None = None
    em: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)
    recall_at_5: float | None = Field(default=None, ge=0, le=1)
    """None where the question names no supporting passages."""
    passages: tuple[str, ...] = ()
    supporting_passages: tuple[str, ...] = ()
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class RowLog:
    """An append-only file of rows that survives being killed at any byte.

    Opening it cuts off a last line that was torn, and reads the rest. A later row of the same
    system, settings and question replaces an earlier one. Use it in a `with` statement.

    Raises
    ------
    EvaluationError
        If the file cannot be opened or written, or a line that is not the last is no row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, str], EvalRow] = {}
        """(fingerprint, question id) to row."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("a+b")
            self._load()
        except OSError as error:
            raise EvaluationError(f"{path} cannot be opened: {error.strerror}") from error
        except EvaluationError:
            self._file.close()
            raise

    def _load(self) -> None:
        self._file.seek(0)
        good = 0
        for number, raw in enumerate(self._file, start=1):
            whole = raw.endswith(b"\n")
            if raw.strip():
                try:
                    self._keep(EvalRow.model_validate_json(raw))
                except ValidationError as error:
                    if whole:
                        raise EvaluationError(
                            f"{self.path}, line {number} is no result ({told(error)}); remove the "
                            f"line or write to another file"
                        ) from None
                    self._file.truncate(good)
                    return
            good += len(raw)
            if not whole:
                self._write(b"\n")  # killed between the row and its line end

    def _keep(self, row: EvalRow) -> None:
        self.rows[row.fingerprint, row.id] = row

    def append(self, row: EvalRow) -> None:
        """Write a row and hand it to the operating system before returning."""
        try:
            self._write(row.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise EvaluationError(f"{self.path} cannot be written: {error.strerror}") from error
        self._keep(row)

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._file:
                os.fsync(self._file.fileno())
        except OSError as failure:
            if kind is None:
                raise EvaluationError(
                    f"{self.path} cannot be written: {failure.strerror}"
                ) from failure
