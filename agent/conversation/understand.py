"""A question in a conversation, made one that stands alone."""

from __future__ import annotations

from collections.abc import Sequence

from agent.conversation.turns import Turn, Understood
from retrievers.analysis import language_of


def understand(question: str, turns: Sequence[Turn]) -> Understood:
    """Return the question with what it leaves out filled in from the turns before it.

    A question that is complete is returned letter by letter. Grammar decides, not a model: a
    pronoun stands for what was last named of its kind, and a question cut short repeats the one
    before it with one thing exchanged. What cannot be filled in is left, and `why` says so.

    Examples
    --------
    >>> born = Turn(question="When was Les McCann born?", mentions=(
    ...     Mention(text="Les McCann", kind=AnswerType.PERSON, role="name"),))
    >>> understand("And where did he die?", [born]).question
    'Where did Les McCann die?'
    """
    if not turns or not question.strip():
        return Understood(asked=question, question=question)
    if language_of(question) == "zh":
        from agent.conversation.chinese import understand_chinese

        return understand_chinese(question, turns)
    from agent.conversation.english import understand_english

    return understand_english(question, turns)
