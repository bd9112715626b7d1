"""What can go wrong between us and a node, each as one sentence with its remedy."""

from __future__ import annotations

from retrievers.errors import RetrieverError


class ElasticsearchAddressError(RetrieverError):
    """The address of the node or the name of the corpus is not one."""


class NodeUnreachableError(RetrieverError):
    """Nothing answers at the address, or TLS failed."""


class NodeTimeoutError(RetrieverError):
    """The node did not answer in time."""


class NodeRefusedError(RetrieverError):
    """The user name or password is wrong, or the user may not do this."""


class NodeBusyError(RetrieverError):
    """The node turned the request away under load (429)."""


class NodeUnsupportedError(RetrieverError):
    """What answers is not Elasticsearch, or is too old."""


class NodeRequestError(RetrieverError):
    """The node answered a request with an error that has no name of its own here."""
