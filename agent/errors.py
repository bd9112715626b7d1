"""Errors a person can meet: one sentence each, with the remedy, and an exit code of its kind."""

from __future__ import annotations


class HoptreeError(Exception):
    """Base of hoptree's own errors."""

    exit_code = 1


class UsageError(HoptreeError):
    """The command or an argument cannot be meant so."""

    exit_code = 2


class QuestionError(UsageError):
    """The question is empty, too long or not text."""


class ModelError(HoptreeError):
    """The local model could not do what was asked."""

    exit_code = 5


class ModelFileError(ModelError):
    """The file of a model is missing, or is not one."""


class PromptTooLongError(ModelError):
    """The prompt and the tokens asked for do not fit the model's context window."""


class GrammarError(ModelError):
    """The grammar that was to bind the output is not one."""


class WaitingError(HoptreeError):
    """The run waits for a person's answer to one of its steps."""

    exit_code = 8


class TraceError(HoptreeError):
    """A trace could not be written or read."""

    exit_code = 6


class FeedbackError(HoptreeError):
    """Feedback on an answer could not be written or read."""

    exit_code = 6


class SourcesError(HoptreeError):
    """The trust in the sources of an index could not be read or written."""

    exit_code = 4


class EvaluationError(HoptreeError):
    """A question set could not be read, or its results not be written."""

    exit_code = 7
