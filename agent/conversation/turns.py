"""What a conversation remembers of each question: what was asked, answered and named on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.answer import Answer
from graph.planning.language import expected_type
from graph.types import AnswerType
from retrievers.analysis import Language, language_of

Gender = Literal["female", "male"]
Role = Literal["answer", "step", "name"]


class Mention(BaseModel):
    """Something that a turn named, which a later question may refer to."""

    model_config = ConfigDict(frozen=True)

    text: str
    kind: AnswerType
    """ANY where it is not known."""
    gender: Gender | None = None
    role: Role
    """The answer of the turn, the answer of a step before the last, or a name in the question."""


class Turn(BaseModel):
    """One question of a conversation, as it was understood, with what it brought."""

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str | None = None
    last_step: str | None = None
    """The last sub-question with its references filled in: "When was Les McCann born?"."""
    mentions: tuple[Mention, ...] = ()
    """The answer first, then those of the steps from the last to the first, then the names."""

    def asked(self) -> list[str]:
        """Return the wordings of what was asked, the question itself first."""
        wordings = [self.question, *([self.last_step] if self.last_step else [])]
        return list(dict.fromkeys(wordings))

    @property
    def language(self) -> Language:
        return language_of(self.question)


class Understood(BaseModel):
    """How a question was understood."""

    model_config = ConfigDict(frozen=True)

    asked: str
    """As it was typed."""
    question: str
    """As it is put to the documents; equal to `asked` where that is complete."""
    why: str = ""
    """What was filled in, or why nothing could be, in one sentence; empty where nothing was to."""

    @property
    def changed(self) -> bool:
        return self.question != self.asked


def turn_of(answer: Answer) -> Turn:
    """Return what a conversation remembers of an answer."""
    language = language_of(answer.question)
    mentions: list[Mention] = []
    last_step = None
    path = next((p for p in reversed(answer.tree.paths) if p.answer is not None), None)
    if answer.answer is not None and path is not None:
        plan = answer.tree.plans[path.plan]
        sought = {taken.step: taken.result for taken in path.steps}
        last = sought.get(len(plan.steps))
        if last is not None and plan.steps[-1].kind == "lookup":
            last_step = last.question
        for number in range(len(plan.steps), 0, -1):
            result = sought.get(number)
            text = result.verdict.answer if result and result.verdict else path.bound.get(number)
            if text is None:
                continue
            final = number == len(plan.steps)
            asked = result.question if result else plan.steps[number - 1].text
            mentions.append(_mention(text, plan.steps[number - 1].expects, asked, language, final))
    elif answer.answer is not None:
        kind = expected_type(answer.question)
        mentions.append(_mention(answer.answer, kind, answer.question, language, True))
    known = {mention.text for mention in mentions}
    named = [m for m in names(answer.question, language) if m.text not in known]
    return Turn(
        question=answer.question,
        answer=answer.answer,
        last_step=last_step,
        mentions=(*mentions, *named),
    )


def _mention(
    text: str, expects: AnswerType, question: str, language: Language, final: bool
) -> Mention:
    if language == "zh":
        from agent.conversation.chinese import gender_asked, kind_of
    else:
        from agent.conversation.english import gender_asked, kind_of
    vague = expects in {AnswerType.ANY, AnswerType.ENTITY}
    return Mention(
        text=text,
        kind=kind_of(text) if vague else expects,
        gender=gender_asked(question),
        role="answer" if final else "step",
    )


def names(question: str, language: Language) -> list[Mention]:
    """Return the names in a question, with what kind of thing each is as far as that shows."""
    if language == "zh":
        from agent.conversation.chinese import names_in
    else:
        from agent.conversation.english import names_in
    return names_in(question)


def referent(
    turns: Sequence[Turn],
    fits: Callable[[AnswerType], bool],
    gender: Gender | None = None,
    *,
    sure: bool = False,
) -> Mention | None:
    """Return what a pronoun most likely refers to, None where nothing fits.

    What surely is of a fitting kind goes first, in the last two turns; then what may be, in the
    last, unless only what is `sure` will do; then what was said before. A person of the other
    gender is never meant.
    """

    def fitting(turn: Turn, surely: bool) -> Mention | None:
        for mention in turn.mentions:
            vague = mention.kind in {AnswerType.ANY, AnswerType.ENTITY}
            right = fits(mention.kind) if surely else vague and mention.role != "answer"
            if right and (gender is None or mention.gender in {None, gender}):
                return mention
        return None

    recent = list(reversed(turns))
    for turn, surely in [
        *((turn, True) for turn in recent[:2]),
        *((turn, False) for turn in recent[:1] if not sure),
        *((turn, True) for turn in recent[2:]),
    ]:
        found = fitting(turn, surely)
        if found is not None:
            return found
    return None
