"""The translation of the client's errors to ours, which name the address and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elastic_transport import ConnectionError as ClientConnectionError
from elastic_transport import ConnectionTimeout, TlsError
from elasticsearch import ApiError, UnsupportedProductError
from elasticsearch.helpers import ScanError

from retrievers.elastic.errors import (
    NodeBusyError,
    NodeRefusedError,
    NodeRequestError,
    NodeTimeoutError,
    NodeUnreachableError,
    NodeUnsupportedError,
)
from retrievers.elastic.settings import ElasticsearchSettings
from retrievers.errors import IndexNotFoundError, RetrieverError


@contextmanager
def told(settings: ElasticsearchSettings) -> Iterator[None]:
    """Turn the client's errors into ours, which name the address and the remedy."""
    try:
        yield
    except UnsupportedProductError as error:
        raise _unsupported(settings) from error
    except ConnectionTimeout as error:
        raise NodeTimeoutError(
            f"Elasticsearch at {settings.address} did not answer within {settings.timeout:g} s: "
            f"look at its load, or give it longer with {settings.url}?timeout=60"
        ) from error
    except TlsError as error:
        raise NodeUnreachableError(
            f"no trusted TLS connection to {settings.address}: give the node's certificate "
            f"authority with ?ca=FILE ({error.message})"
        ) from error
    except ClientConnectionError as error:
        raise NodeUnreachableError(
            f"Elasticsearch cannot be reached at {settings.address}: is it running? "
            "`docker compose up -d` starts the one of docker-compose.yml"
        ) from error
    except ScanError as error:
        raise NodeRequestError(
            f"Elasticsearch at {settings.address} could not read the whole corpus ({error}): look "
            "at the state of its shards with `hoptree doctor`, then run it again"
        ) from error
    except ApiError as error:
        raise response_error(settings, error.status_code, error.body) from error


def response_error(settings: ElasticsearchSettings, status: int, body: Any) -> RetrieverError:
    """Return the error that says what an answer of this status means and what to do."""
    kind, reason = _reason(body)
    if status == 401:
        who = (
            f"the password of the user {settings.user!r}"
            if settings.user
            else "us without a password"
        )
        return NodeRefusedError(
            f"Elasticsearch at {settings.address} refused {who}: write the right one into the "
            "address (es://user:password@host:port/corpus) or set HOPTREE_ELASTICSEARCH_PASSWORD"
        )
    if status == 403:
        return NodeRefusedError(
            f"the user {settings.user!r} may not do this on {settings.address}: {reason}"
        )
    if status == 404 and kind == "index_not_found_exception":
        return missing(settings)
    if status == 429:
        return NodeBusyError(
            f"Elasticsearch at {settings.address} is overloaded and turned the request away: ask "
            f"again later, or give it more memory ({reason})"
        )
    if status == 503:
        return NodeRequestError(
            f"no part of the corpus {settings.corpus!r} at {settings.address} can be searched now: "
            "wait where the node is just starting, else see what `hoptree doctor --index "
            f"{settings.url}` says"
        )
    if kind == "media_type_header_exception":
        return _unsupported(settings)
    return NodeRequestError(f"Elasticsearch at {settings.address} answered {status}: {reason}")


def missing(settings: ElasticsearchSettings) -> IndexNotFoundError:
    """Return the error for a corpus that the node does not have."""
    return IndexNotFoundError(
        f"there is no corpus {settings.corpus!r} at {settings.address}: make it with "
        f"`hoptree index FILES… --index {settings.url}`"
    )


def _unsupported(settings: ElasticsearchSettings) -> NodeUnsupportedError:
    return NodeUnsupportedError(
        f"what answers at {settings.address} is not Elasticsearch 8 or 9: check the port, or "
        "update the node"
    )


def _reason(body: Any) -> tuple[str, str]:
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        cause = (error.get("root_cause") or [error])[0]
        return str(cause.get("type", "")), str(cause.get("reason", cause))
    return "", str(error)
