"""A corpus on a node: an alias, and the generations of the index behind it.

The generations are `corpus.1`, `corpus.2`, …; the alias names the one that is searched. A rebuild
fills the next one and swaps the alias in one step, so a search sees the one or the other and never
a part. A rebuild that was stopped left its generation, and is gone on with.
"""

from __future__ import annotations

from typing import Any

from elasticsearch import AsyncElasticsearch, BadRequestError, NotFoundError

from retrievers.elastic.mapping import FORMAT, index_body
from retrievers.elastic.node import KNN_SINCE, plugins, version
from retrievers.elastic.settings import ElasticsearchSettings
from retrievers.encoder import Encoder
from retrievers.errors import IndexFormatError
from retrievers.notices import notice


def refuse_format(settings: ElasticsearchSettings, index: str, meta: dict[str, Any]) -> None:
    """Refuse an index that is not ours, or was made by another version.

    Raises
    ------
    retrievers.errors.IndexFormatError
        With the remedy.
    """
    found = meta.get("hoptree_format")
    if found is None:
        raise IndexFormatError(
            f"the index {index!r} at {settings.address} was not made by hoptree: choose another "
            "corpus name"
        )
    if found != FORMAT:
        raise IndexFormatError(
            f"the index {index!r} at {settings.address} was made by another version of hoptree "
            f"(format {found}, this one reads {FORMAT}): make it anew with `hoptree index FILES… "
            f"--rebuild --index {settings.url}`"
        )


async def generations(
    client: AsyncElasticsearch, settings: ElasticsearchSettings
) -> dict[str, dict[str, Any]]:
    """Return the indices that serve the corpus with what we noted in each; none where it is new.

    Raises
    ------
    retrievers.errors.IndexFormatError
        Where one of them is not ours.
    """
    try:
        await client.indices.get_alias(name=settings.corpus)
    except NotFoundError:
        if await client.indices.exists(index=settings.corpus):
            refuse_format(settings, settings.corpus, {})
        return {}
    answer = await client.indices.get_mapping(index=settings.corpus)
    found = {index: of["mappings"].get("_meta", {}) for index, of in answer.body.items()}
    for index, meta in found.items():
        if "hoptree_format" not in meta:
            refuse_format(settings, index, meta)
    return found


async def make(
    client: AsyncElasticsearch,
    settings: ElasticsearchSettings,
    encoder: Encoder | None,
    olds: list[str],
) -> str:
    """Make the generation after `olds`, or go on with the one there; a first one is live at once.

    Raises
    ------
    retrievers.errors.IndexFormatError
        Where a stopped rebuild of another version is in the way.
    """
    numbers = [int(old.rpartition(".")[2]) for old in olds if old.rpartition(".")[2].isdecimal()]
    index = f"{settings.corpus}.{max(numbers, default=0) + 1}"
    dimensions = encoder.dimensions if encoder is not None and await _has_knn(client) else None
    body = index_body(dimensions, await plugins(client))
    aliases: dict[str, Any] = {} if olds else {"aliases": {settings.corpus: {}}}
    try:
        await client.indices.create(index=index, **body, **aliases)
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
        there = (await client.indices.get_mapping(index=index)).body[index]["mappings"]
        refuse_format(settings, index, there.get("_meta", {}))
        if not olds:
            await swap(client, settings, index, [])
    return index


async def swap(
    client: AsyncElasticsearch, settings: ElasticsearchSettings, new: str, olds: list[str]
) -> None:
    """Make `new` the corpus and delete the old generations, in one step."""
    actions: list[dict[str, Any]] = [{"add": {"index": new, "alias": settings.corpus}}]
    actions += [{"remove_index": {"index": old}} for old in olds if old != new]
    await client.indices.update_aliases(actions=actions)


async def _has_knn(client: AsyncElasticsearch) -> bool:
    running = await version(client)
    if running is not None and running < KNN_SINCE:
        notice(
            f"Elasticsearch {running[0]}.{running[1]} has no int8 kNN search (it came with "
            f"{KNN_SINCE[0]}.{KNN_SINCE[1]}): the corpus is searched by words alone (BM25)"
        )
        return False
    return True
