"""The connection to a node, and what the node can do."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from elastic_transport import AiohttpHttpNode, HttpHeaders
from elasticsearch import AsyncElasticsearch, AuthorizationException, BadRequestError

from retrievers.elastic.errors import ElasticsearchAddressError
from retrievers.elastic.mapping import PLUGINS
from retrievers.elastic.settings import ElasticsearchSettings

KNN_SINCE = (8, 12)
"""First version with int8 HNSW and kNN inside `_msearch`."""
_COMPATIBLE = re.compile("compatible-with=[0-9]+")


class CompatibleNode(AiohttpHttpNode):
    """Asks for the API of version 8 whatever the client's version.

    Servers 8 and 9 both speak it, whereas server 8 refuses client 9's own `compatible-with=9`.
    """

    async def perform_request(  # type: ignore[override]  # the base class overrides sync by async
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        **rest: Any,
    ) -> Any:
        """Send the request with the two content-negotiation headers set to version 8."""
        headers = HttpHeaders(headers or {})
        for name in ("accept", "content-type"):
            if name in headers:
                headers[name] = _COMPATIBLE.sub("compatible-with=8", headers[name])
        return await super().perform_request(method, target, body, headers, **rest)


def connect(
    settings: ElasticsearchSettings, node_class: type[AiohttpHttpNode] = CompatibleNode
) -> AsyncElasticsearch:
    """Return a client of the node; it connects when first used.

    A timeout is not retried, so that a call takes at most `settings.timeout` seconds; 429 neither,
    as asking a busy node again at once makes it busier.

    Raises
    ------
    retrievers.elastic.ElasticsearchAddressError
        Where the file of the certificate authority is missing, or is not one.
    """
    options: dict[str, Any] = {}
    if settings.password is not None:
        options["basic_auth"] = (settings.user or "elastic", settings.password.get_secret_value())
    if settings.tls and settings.ca is not None:
        options["ca_certs"] = str(settings.ca)
    try:
        return AsyncElasticsearch(
            settings.address,
            node_class=node_class,
            request_timeout=settings.timeout,
            max_retries=2,
            retry_on_timeout=False,
            retry_on_status=(502, 503, 504),
            **options,
        )
    except (ValueError, OSError) as error:  # SSLError is an OSError
        raise ElasticsearchAddressError(
            f"the certificate authority {settings.ca} cannot be used ({error}): name a PEM file "
            "with ?ca=FILE"
        ) from error


async def version(client: AsyncElasticsearch) -> tuple[int, int] | None:
    """Return the lowest (major, minor) in the cluster; None where the user may not ask."""
    try:
        answer = await client.nodes.info(metric="os", filter_path="nodes.*.version")
    except AuthorizationException:
        return None
    found = [node["version"].split(".") for node in answer.body.get("nodes", {}).values()]
    return min(((int(v[0]), int(v[1])) for v in found), default=None)


async def plugins(client: AsyncElasticsearch) -> list[str]:
    """Return which of the analysis plugins that we can use the node has."""
    found = []
    for name, known_by in PLUGINS.items():
        with suppress(BadRequestError):
            await client.indices.analyze(text="武汉", **known_by)
            found.append(name)
    return found
