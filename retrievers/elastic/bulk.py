"""Sending operations to an index: in portions, each waited for, again when turned away (429)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from elasticsearch import ApiError, AsyncElasticsearch

from retrievers.elastic.errors import NodeBusyError
from retrievers.errors import IndexWriteError

Answer = TypeVar("Answer")

PORTION = 256
"""Operations in one request: about 2 MB."""
MAX_RETRIES = 6
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
"""Seconds waited after a 429, doubled each time; spread, so that callers do not return together."""


@dataclass(frozen=True)
class Operation:
    """A passage to be written under its `_id`, or to be deleted where there is no body."""

    id: str
    body: dict[str, Any] | None = None

    def lines(self) -> list[dict[str, Any]]:
        verb = "delete" if self.body is None else "index"
        return [{verb: {"_id": self.id}}, *([self.body] if self.body is not None else [])]


async def send(
    client: AsyncElasticsearch, index: str, operations: Sequence[Operation]
) -> dict[str, str]:
    """Send operations; return the reason for each id that the node refused.

    The next portion waits for the last one. What the node turns away with 429 is sent again after a
    growing pause.

    Raises
    ------
    retrievers.elastic.NodeBusyError
        Where the node takes none of them after `MAX_RETRIES` pauses.
    retrievers.errors.IndexWriteError
        Where the index takes no writes at all.
    """
    refused: dict[str, str] = {}
    for start in range(0, len(operations), PORTION):
        waiting = list(operations[start : start + PORTION])
        pauses = 0
        while left := await _once(client, index, waiting, refused):
            pauses = pauses if len(left) == len(waiting) else 0
            if pauses == MAX_RETRIES:
                raise _too_busy()
            await _pause(pauses)
            waiting, pauses = left, pauses + 1
    return refused


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask the node, and again after growing pauses while it turns the request away with 429.

    Raises
    ------
    retrievers.elastic.NodeBusyError
        Where it does so after `MAX_RETRIES` pauses.
    """
    pauses = 0
    while True:
        try:
            return await ask()
        except ApiError as error:
            if error.status_code != 429:
                raise
            if pauses == MAX_RETRIES:
                raise _too_busy() from error
        await _pause(pauses)
        pauses += 1


def _too_busy() -> NodeBusyError:
    return NodeBusyError(
        f"the node was too busy {MAX_RETRIES + 1} times over: what it took is kept; run the same "
        "command again when its load is lower"
    )


async def _pause(pauses: int) -> None:
    pause = min(FIRST_BACKOFF * 2**pauses, LONGEST_BACKOFF)
    await asyncio.sleep(pause * random.uniform(0.5, 1.5))


async def _once(
    client: AsyncElasticsearch, index: str, operations: list[Operation], refused: dict[str, str]
) -> list[Operation]:
    """Send the operations in one request; return those that were turned away with 429."""
    try:
        answer = await client.bulk(
            index=index,
            operations=[line for operation in operations for line in operation.lines()],
            filter_path="items.*.status,items.*.error",
        )
    except ApiError as error:
        if error.status_code == 429:
            return operations
        raise
    turned_away = []
    for operation, item in zip(operations, answer.body["items"], strict=True):
        [outcome] = item.values()
        if "error" not in outcome:
            continue
        kind, reason = outcome["error"].get("type"), _reason(outcome["error"])
        if kind == "cluster_block_exception":
            raise IndexWriteError(
                f"the node lets nothing be written to the corpus ({reason}): what was indexed "
                "before is intact; where its disk is full, free space, and run it again"
            )
        if outcome["status"] == 429:
            turned_away.append(operation)
        else:
            refused[operation.id] = reason
    return turned_away


def _reason(error: dict[str, Any]) -> str:
    cause = error.get("caused_by") or {}
    return ": ".join(str(r) for r in (error.get("reason"), cause.get("reason")) if r)
