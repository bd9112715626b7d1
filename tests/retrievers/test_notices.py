"""Notices: heard by whoever runs the search, and by nobody beside it."""

from __future__ import annotations

import asyncio

from retrievers.notices import listening, notice


async def test_each_task_hears_its_own_notices_alone() -> None:
    async def run(name: str) -> list[str]:
        heard: list[str] = []
        with listening(heard.append):
            await asyncio.sleep(0)
            notice(f"{name} awaited")
            await asyncio.to_thread(notice, f"{name} in a thread")
        notice(f"{name} too late")
        return heard

    assert await asyncio.gather(run("a"), run("b")) == [
        ["a awaited", "a in a thread"],
        ["b awaited", "b in a thread"],
    ]


def test_notice_that_nobody_listens_to_is_no_error() -> None:
    notice("nobody is here")
