"""Questions with their known answers."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import EvaluationError

QUESTIONS = "questions.jsonl"


class EvalQuestion(BaseModel):
    """One line of `questions.jsonl`. Fields that are not named here are kept unread."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(min_length=1)
    question: str = Field(min_length=1)
    answer: str
    aliases: tuple[str, ...] = ()
    type: str = ""
    hops: int = Field(default=1, ge=1)
    supporting_passages: tuple[str, ...] = ()
    """Ids of the passages that hold the answer's evidence."""
    answerable: bool = True

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer and its aliases."""
        return (self.answer, *self.aliases)


def load_questions(directory: Path, limit: int | None = None) -> list[EvalQuestion]:
    """Read the first `limit` questions of a data set (all of them if None), in the file's order.

    Raises
    ------
    EvaluationError
        If the directory or its `questions.jsonl` is missing or unreadable, a line is no question
        (the line's number is told), an id stands twice, or there are no questions.
    """
    if not directory.is_dir():
        raise EvaluationError(f"{directory} is not a directory; name one with a {QUESTIONS} in it")
    path = directory / QUESTIONS
    if not path.is_file():
        raise EvaluationError(f"{directory} has no {QUESTIONS}; is it a data set?")
    questions: list[EvalQuestion] = []
    first_line: dict[str, int] = {}
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                if limit is not None and len(questions) >= limit:
                    break
                if not raw.strip():
                    continue
                question = _question(raw, f"{path}, line {number}")
                if question.id in first_line:
                    raise EvaluationError(
                        f"{path}, line {number}: the id “{question.id}” already stands in line "
                        f"{first_line[question.id]}; ids must be unique"
                    )
                first_line[question.id] = number
                questions.append(question)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}") from error
    if not questions:
        raise EvaluationError(f"{path} has no questions")
    return questions


def _question(raw: bytes, place: str) -> EvalQuestion:
    try:
        return EvalQuestion.model_validate_json(raw)
    except ValidationError as error:
        raise EvaluationError(f"{place}: {told(error)}") from None


def told(error: ValidationError) -> str:
    """Return the first thing wrong, as “field: what”."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}" if field else first["msg"]
