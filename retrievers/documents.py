"""Documents, and how they are split into passages with their offsets kept."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticSerializationError

from retrievers.passage import Passage

LONGEST = 1200
"""A document up to this many characters stays whole."""
OVERLAP = 150
"""Characters that neighbouring passages share at most, so that no sentence loses its context."""
_BREAK = re.compile(r"\n\s*\n|(?<=[.!?])\s+|(?<=[。！？；])[”’」』）]*|\n")
_SPACE = re.compile(r"\s")
_PART = re.compile(r"#[1-9][0-9]*\Z")


class Document(BaseModel):
    """What is indexed as one thing. Common names of the fields are understood."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str = Field(validation_alias=AliasChoices("id", "_id", "docid", "doc_id", "pid"))
    text: str = Field(
        validation_alias=AliasChoices("text", "contents", "content", "passage", "body", "paragraph")
    )
    title: str = Field(default="", validation_alias=AliasChoices("title", "name", "headline"))
    source: str = ""
    url: str | None = None
    time_start: float | None = None
    time_end: float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    file: str = Field(default="", exclude=True)
    """The file, and its line, that it was read from; not part of the document itself."""

    @field_validator("title", "source", "metadata", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:
        return ({} if info.field_name == "metadata" else "") if value is None else value

    @field_validator("id", "text")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty")
        return value

    @model_validator(mode="after")
    def _writable(self) -> Self:
        try:
            self.model_dump_json()
        except PydanticSerializationError as error:
            raise ValueError("holds half a surrogate pair, which is not a character") from error
        return self

    @property
    def digest(self) -> str:
        """Hash of all that is indexed: an equal digest means that nothing changed."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def split(document: Document) -> Iterator[Passage]:
    """Yield the passages of a document, in order.

    A short document is one passage with the document's id; of a longer one they are `id#1`,
    `id#2`, …, cut at paragraphs or sentences, overlapping by at most `OVERLAP` characters.
    Always `document.text[p.offset : p.offset + len(p.text)] == p.text`.
    """
    spans = list(_spans(document.text))
    for number, (start, end) in enumerate(spans, 1):
        yield Passage(
            id=document.id if len(spans) == 1 else f"{document.id}#{number}",
            text=document.text[start:end],
            title=document.title,
            document=document.id,
            source=document.source,
            url=document.url,
            offset=start,
            time_start=document.time_start,
            time_end=document.time_end,
            metadata=document.metadata,
        )


def document_of(passage: str) -> str:
    """Return the id of the document that a passage of this id was split from.

    The inverse of `split`, where nothing but the id is known. A document may itself be called what
    a part of another is: `Passage.document` knows better.
    """
    return _PART.sub("", passage) or passage


def _spans(text: str) -> Iterator[tuple[int, int]]:
    breaks = [match.end() for match in _BREAK.finditer(text)]
    start = 0
    while len(text) - start > LONGEST:
        end = _end(text, breaks, start)
        if text[start:end].strip():
            yield start, end
        again = bisect_left(breaks, end - OVERLAP)
        # An overlap that would begin at or before this passage's start would never end.
        overlaps = again < len(breaks) and start < breaks[again] < end
        start = breaks[again] if overlaps else end
    if text[start:].strip():
        yield start, len(text)


def _end(text: str, breaks: list[int], start: int) -> int:
    """Return where the passage from `start` ends: at a sentence, else a word, else anywhere."""
    latest = start + LONGEST
    last = bisect_right(breaks, latest) - 1
    if last >= 0 and breaks[last] >= start + LONGEST // 2:
        return breaks[last]
    spaces = [match.end() for match in _SPACE.finditer(text, start + LONGEST // 2, latest)]
    return spaces[-1] if spaces else latest
