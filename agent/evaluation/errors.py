"""The error of evaluating: something about the files is not as it must be."""


class EvaluationError(Exception):
    """A data set or a results file cannot be used; the message says which, where and what to do."""
