"""Users and passwords, and the licence, on a real node with security (see elastic_node.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from elastic_node import OLDEST_JAVA, PASSWORDS, running
from elastic_samples import DOCUMENTS, ids

from retrievers.elastic import ElasticsearchRetriever, NodeRefusedError
from retrievers.encoder import MiniLMEncoder

As = Callable[..., ElasticsearchRetriever]


@pytest.fixture(scope="module", params=OLDEST_JAVA, ids="server-{}".format)
def secured(
    request: pytest.FixtureRequest, nodes: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    home, installation = tmp_path_factory.mktemp("secured"), nodes.installation(request.param)
    with running(home, installation, "security") as started:
        yield started.port


@pytest.fixture
async def as_user(secured: int, encoder: MiniLMEncoder) -> AsyncIterator[As]:
    """Makes retrievers of one corpus, for a user and a password; None goes without either."""
    made: list[ElasticsearchRetriever] = []

    def make(user: str | None, password: str | None = None) -> ElasticsearchRetriever:
        who = f"{user}:{password or PASSWORDS[user]}@" if user else ""
        address = f"es://{who}127.0.0.1:{secured}/corpus"
        made.append(ElasticsearchRetriever.from_url(address, encoder))
        return made[-1]

    yield make
    for retriever in made:
        await retriever.aclose()


async def test_owner_may_do_everything(as_user: As) -> None:
    retriever = as_user("elastic")
    await retriever.aindex(DOCUMENTS[:2], rebuild=True)
    report = await retriever.aindex(DOCUMENTS, prune=True)
    [hits] = await retriever.search(["radium"])
    found = {finding.name: finding for finding in await retriever.examine()}

    assert report.passages == len(DOCUMENTS)
    assert ids(hits)[0] == "curie"
    assert found["licence"].detail == "basic, active; nothing beyond basic is needed"
    assert "fault" not in {finding.status for finding in found.values()}


@pytest.mark.parametrize(
    ("user", "password", "message"),
    [
        ("elastic", "hunter2", "refused the password of the user 'elastic'"),
        ("nobody", "hunter2", "refused the password of the user 'nobody'"),
        (None, None, "refused us without a password"),
    ],
)
async def test_wrong_password_is_said_without_showing_it(
    as_user: As, user: str | None, password: str | None, message: str
) -> None:
    retriever = as_user(user, password)
    for call in (retriever.search(["x"]), retriever.aindex(DOCUMENTS), retriever.count()):
        with pytest.raises(NodeRefusedError, match=message) as told:
            await call
        assert "HOPTREE_ELASTICSEARCH_PASSWORD" in str(told.value)
        assert "hunter2" not in str(told.value)
    [fault] = await retriever.examine()
    assert (fault.name, fault.status) == ("node", "fault")
    assert message in fault.detail


async def test_who_may_only_search_searches_and_is_told_so_when_indexing(as_user: As) -> None:
    await as_user("elastic").aindex(DOCUMENTS)
    retriever = as_user("searcher")
    [hits] = await retriever.search(["radium"])

    assert ids(hits)[0] == "curie"
    assert [passage.id for passage in await retriever.get(["warsaw"])] == ["warsaw"]
    for call in (retriever.aindex(DOCUMENTS), retriever.adelete(["curie"])):
        with pytest.raises(NodeRefusedError, match="the user 'searcher' may not do this") as told:
            await call
        assert PASSWORDS["searcher"] not in str(told.value)
    assert await retriever.count() == len(DOCUMENTS)


async def test_doctor_says_what_a_user_of_few_rights_may_not_look_at(as_user: As) -> None:
    await as_user("elastic").aindex(DOCUMENTS)
    found = {finding.name: finding for finding in await as_user("searcher").examine()}

    assert "of a version it does not tell" in found["node"].detail
    for name in ("cluster", "disk", "analysers"):
        assert found[name].status == "warning"
        assert "the user 'searcher' may not do this" in found[name].detail
    assert "403" in found["licence"].detail
    assert f"{len(DOCUMENTS)} passages" in found["mapping"].detail


async def test_who_may_do_nothing_is_told_so(as_user: As) -> None:
    await as_user("elastic").aindex(DOCUMENTS)
    retriever = as_user("stranger")
    for call in (retriever.search(["x"]), retriever.count(), retriever.get(["curie"])):
        with pytest.raises(NodeRefusedError, match="the user 'stranger' may not do this"):
            await call
