"""A conversation with an agent: each question may lean on the ones before it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from agent.answer import Answer, answer_of
from agent.conversation.turns import Turn, Understood, turn_of
from agent.conversation.understand import understand
from graph.events import Event
from graph.types import Limits

if TYPE_CHECKING:
    from agent.api import Agent

REMEMBERED = 20
"""Turns that a follow-up question can lean on."""


class Conversation:
    """Questions to one agent, of which each may lean on the ones before it.

    Parameters
    ----------
    agent
        Whom the questions are put to. It is not closed with the conversation.

    Examples
    --------
    >>> conversation = Conversation(Agent("my-index"))  # doctest: +SKIP
    >>> conversation.ask("Who recorded Live at Shelly's Manne-Hole?").answer  # doctest: +SKIP
    'Les McCann'
    >>> conversation.ask("And when was he born?").question  # doctest: +SKIP
    'When was Les McCann born?'
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.turns: list[Turn] = []

    def understand(self, question: str) -> Understood:
        """Return how a question is understood now, without asking it."""
        return understand(question, self.turns)

    def add(self, answer: Answer) -> None:
        """Remember an answer, so that the next question can lean on it."""
        self.turns = [*self.turns, turn_of(answer)][-REMEMBERED:]

    def ask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Ask a question as it is understood; `Answer.question` says how that was.

        Raises
        ------
        HoptreeError
            As `Agent.ask`.
        """
        answer = self.agent.ask(self.understand(question).question, limits=limits)
        self.add(answer)
        return answer

    async def aask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Ask a question as it is understood; the async form of `ask`."""
        answer = await self.agent.aask(self.understand(question).question, limits=limits)
        self.add(answer)
        return answer

    def stream(
        self, question: str, *, limits: Limits | None = None
    ) -> Generator[Event, None, None]:
        """Yield the events of an answer; it is remembered once it is whole."""
        events: list[Event] = []
        for event in self.agent.stream(self.understand(question).question, limits=limits):
            events.append(event)
            yield event
        self.add(answer_of(events))
