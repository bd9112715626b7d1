"""Questions asked from a page: one agent, one run at a time, the others wait their turn."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.errors import HoptreeError, UsageError
from graph.events import Event, RunResumed, RunStarted
from retrievers.errors import RetrieverError

if TYPE_CHECKING:
    from agent.api import Agent

WAITING = 20
"""Questions that may wait."""
REMEMBERED = 200
"""Jobs that are remembered, so that the page of each still leads to its run."""


class QueueFullError(UsageError):
    """Too many questions wait."""


Start = Callable[["Agent"], AsyncGenerator[Event, None]]


@dataclass
class Job:
    """A question on its way to becoming a run."""

    question: str
    start: Start
    resumed: str | None = None
    """The run that goes on; None for a new one."""
    of: str | None = None
    """The run whose page it was sent from; None where a question was asked."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    run: str | None = None
    """The id of its run, once that began."""
    error: str | None = None
    """Why it failed, in one sentence."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the run has an id, or never will."""
    ended: bool = False
    task: asyncio.Task[None] | None = None


class Asker:
    """Runs questions one after another on an agent, which is made for the first of them."""

    def __init__(self, make_agent: Callable[[], Agent]) -> None:
        self._make_agent = make_agent
        self._agent: Agent | None = None
        self._turn = asyncio.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def ask(
        self, question: str, start: Start, *, resumed: str | None = None, of: str | None = None
    ) -> Job:
        """Queue a run, or one that goes on; it begins when those before it have ended.

        Raises
        ------
        QueueFullError
            Where too many wait already.
        """
        if sum(not job.ended for job in self._jobs.values()) > WAITING:
            raise QueueFullError(f"{WAITING} questions are waiting: let some of them end first")
        job = Job(question, start, resumed, of)
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED and next(iter(self._jobs.values())).ended:
            self._jobs.popitem(last=False)
        job.task = asyncio.create_task(self._run(job), name=f"hoptree-{job.id}")
        return job

    def job(self, id: str) -> Job | None:
        return self._jobs.get(id)

    def job_of(self, run: str) -> Job | None:
        """Return the job whose run this is, while it is under way."""
        return next((j for j in self._jobs.values() if j.run == run and not j.ended), None)

    def before(self, job: Job) -> int:
        """Return how many jobs have their turn before this one."""
        ahead = 0
        for other in self._jobs.values():
            if other is job:
                break
            ahead += not other.ended
        return ahead

    def stop(self, job: Job) -> None:
        """Stop a run, or take a question out of the queue. The model ends within a token."""
        if job.task is not None:
            job.task.cancel()

    async def _run(self, job: Job) -> None:
        try:
            async with self._turn:
                if self._agent is None:
                    self._agent = await asyncio.to_thread(self._make_agent)
                async with contextlib.aclosing(job.start(self._agent)) as events:
                    async for event in events:
                        # A run that goes on first tells again what it had told.
                        if isinstance(event, RunStarted if job.resumed is None else RunResumed):
                            job.run = event.run
                            job.begun.set()
                job.run = job.run or job.resumed  # which had its answer already
        except asyncio.CancelledError:
            job.error = "stopped"
        except (HoptreeError, RetrieverError) as error:
            job.error = str(error)
        except Exception as error:
            # What ends a run is told on its page, and ends no other.
            job.error = f"unexpected {type(error).__name__}: {error}"
        finally:
            job.ended = True
            job.begun.set()

    async def aclose(self) -> None:
        """Stop all runs and release the agent."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._agent is not None:
            await self._agent.aclose()
