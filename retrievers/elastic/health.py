"""The examination of a node and its corpus, for `hoptree doctor`."""

from __future__ import annotations

from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch

from retrievers.elastic.corpus import refuse_format
from retrievers.elastic.errors import NodeRefusedError
from retrievers.elastic.mapping import LANGUAGES
from retrievers.elastic.node import KNN_SINCE, plugins, version
from retrievers.elastic.settings import ElasticsearchSettings
from retrievers.elastic.translation import told
from retrievers.errors import IndexNotFoundError, RetrieverError
from retrievers.finding import Finding

LITTLE_DISK, NO_DISK = 0.15, 0.05
"""Shares of free disk: from the first a node moves shards away, from the second it is read-only."""


async def examine(
    client: AsyncElasticsearch, settings: ElasticsearchSettings, dimensions: int | None
) -> list[Finding]:
    """Look at everything that can be looked at; a node that does not answer ends it early."""
    findings = []
    for look in (_node, _cluster, _licence, _disk):
        try:
            with told(settings):
                findings.append(await look(client, settings))
        except RetrieverError as error:
            name = look.__name__.strip("_")
            if look is _node:
                return [_fault(name, str(error))]
            findings.append(_not_seen(name, error))
    try:
        findings += await _corpus(client, settings, dimensions)
    except IndexNotFoundError as error:
        findings.append(Finding(name="corpus", status="warning", detail=str(error)))
    except RetrieverError as error:
        findings.append(_fault("corpus", str(error)))
    return findings


def _fault(name: str, detail: str, remedy: str = "") -> Finding:
    return Finding(name=name, status="fault", detail=detail, remedy=remedy)


def _not_seen(name: str, error: RetrieverError) -> Finding:
    # Who may search but not look at the node has nothing to mend.
    if isinstance(error, NodeRefusedError):
        return _warning(name, f"was not looked at: {error}")
    return _fault(name, str(error))


def _ok(name: str, detail: str) -> Finding:
    return Finding(name=name, status="ok", detail=detail)


def _warning(name: str, detail: str, remedy: str = "") -> Finding:
    return Finding(name=name, status="warning", detail=detail, remedy=remedy)


async def _node(client: AsyncElasticsearch, settings: ElasticsearchSettings) -> Finding:
    running = await version(client)
    number = ".".join(map(str, running)) if running is not None else "of a version it does not tell"
    detail = f"Elasticsearch {number} at {settings.address}"
    if running is not None and running < KNN_SINCE:
        return _warning(
            "node",
            f"{detail}, where a node of the cluster is too old for int8 kNN: search is by words",
            f"update to {KNN_SINCE[0]}.{KNN_SINCE[1]} or later, then index with --rebuild",
        )
    return _ok("node", detail)


async def _cluster(client: AsyncElasticsearch, settings: ElasticsearchSettings) -> Finding:
    health = (await client.cluster.health()).body
    detail = f"{health['status']}, {health['number_of_nodes']} nodes"
    if health["status"] == "red":
        return _fault(
            "cluster",
            f"{detail}: a part of some index is not there",
            f"see {settings.address}/_cluster/allocation/explain for why, and the node's log",
        )
    return _ok("cluster", detail)


async def _licence(client: AsyncElasticsearch, settings: ElasticsearchSettings) -> Finding:
    try:
        licence = (await client.license.get()).body["license"]
    except ApiError as error:
        if error.status_code not in (400, 403, 404, 405):
            raise
        return _warning(
            "licence", f"the node does not say its licence ({error.status_code}); basic is enough"
        )
    detail = f"{licence['type']}, {licence['status']}"
    if licence["status"] != "active":
        return _fault(
            "licence", detail, f"POST {settings.address}/_license/start_basic?acknowledge=true"
        )
    return _ok("licence", f"{detail}; nothing beyond basic is needed")


async def _disk(client: AsyncElasticsearch, settings: ElasticsearchSettings) -> Finding:
    stats = (await client.nodes.stats(metric="fs", filter_path="nodes.*.fs.total")).body
    disks = [of["fs"]["total"] for of in stats["nodes"].values() if "total" in of.get("fs", {})]
    if not disks:
        return _warning("disk", "the node does not say how full its disk is")
    fullest = min(disks, key=lambda disk: disk["available_in_bytes"] / disk["total_in_bytes"])
    free = fullest["available_in_bytes"] / fullest["total_in_bytes"]
    detail = (
        f"{free:.0%} free ({fullest['available_in_bytes'] / 2**30:.1f} GiB) on the fullest node"
    )
    if free < NO_DISK:
        return _fault("disk", f"{detail}: the node turns read-only", "free space or add a disk")
    if free < LITTLE_DISK:
        return _warning("disk", detail, "free space: at 5% the node turns read-only")
    return _ok("disk", detail)


async def _corpus(
    client: AsyncElasticsearch, settings: ElasticsearchSettings, dimensions: int | None
) -> list[Finding]:
    corpus = settings.corpus
    again = f"hoptree index FILES… --rebuild --index {settings.url}"
    with told(settings):
        mappings = (await client.indices.get_mapping(index=corpus)).body
        blocks = (await client.indices.get_settings(index=corpus, name="index.blocks.*")).body
        count = (await client.count(index=corpus)).body["count"]
    findings = []
    for index, found in mappings.items():
        meta = found["mappings"].get("_meta", {})
        refuse_format(settings, index, meta)
        detail = f"format {meta['hoptree_format']}, {count} passages in {index}"
        findings.append(_ok("mapping", detail))
        if meta["dimensions"] == dimensions:
            findings.append(_ok("vectors", f"{dimensions or 'no'} dimensions, as the encoder's"))
        else:
            findings.append(
                _warning("vectors", "none of this encoder: searched by words alone", again)
            )
        try:
            findings.append(await _analysers(client, settings, meta["plugins"], again))
        except RetrieverError as error:
            findings.append(_not_seen("analysers", error))
    if any(_blocked(of) for of in blocks.values()):
        findings.append(
            _fault(
                "writing",
                f"the corpus {corpus!r} is read-only",
                "free the node's disk, which lifts the block, or take index.blocks off the index",
            )
        )
    return findings


def _blocked(index: dict[str, Any]) -> bool:
    blocks = index.get("settings", {}).get("index", {}).get("blocks", {})
    return any(value == "true" for value in blocks.values())


async def _analysers(
    client: AsyncElasticsearch,
    settings: ElasticsearchSettings,
    used: list[str],
    again: str,
) -> Finding:
    terms = []
    with told(settings):
        there = await plugins(client)
        for language, text in zip(LANGUAGES, ("Zürich's bridges", "长江大桥"), strict=True):
            answer = await client.indices.analyze(
                index=settings.corpus, field=f"{language}.text", text=text
            )
            terms.append(" ".join(token["token"] for token in answer.body["tokens"]))
    detail = f"{', '.join(used) or 'built-in'} ({'; '.join(terms)})"
    if unused := sorted(set(there) - set(used)):
        return _warning(
            "analysers", f"{detail}: the node has {', '.join(unused)}, the corpus not", again
        )
    return _ok("analysers", detail)
