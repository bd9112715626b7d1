"""What can go wrong with an index, each as one sentence with its remedy."""

from __future__ import annotations


class RetrieverError(Exception):
    """Base of all errors of retrieval and indexing."""

    exit_code = 4


class IndexNotFoundError(RetrieverError):
    """There is no index at the place that was named."""


class IndexFormatError(RetrieverError):
    """The file is not an index of ours, or is damaged, or of another version."""


class IndexWriteError(RetrieverError):
    """The index could not be written (disk full, read-only); what it held before is intact."""
