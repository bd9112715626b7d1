"""Every command over `es://`: real processes, a real node."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from elastic_node import Installation, running
from hoptree_command import Hoptree

from agent.answer import Answer
from agent.api import Agent
from agent.llama import LlamaCppChat
from agent.sample import corpus_path
from agent.settings import Settings
from agent.traces import read_trace
from graph.events import Notice, Retrieved, RunFailed
from retrievers.elastic import ElasticsearchRetriever, ElasticsearchSettings, NodeRequestError
from retrievers.elastic.node import CompatibleNode
from retrievers.elastic.node import connect as open_client
from retrievers.encoder import MiniLMEncoder
from retrievers.errors import IndexNotFoundError
from retrievers.loaders import load
from retrievers.passage import Hit

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"
ROWS = [
    json.loads(line)
    for line in corpus_path().read_text(encoding="utf-8").splitlines()
    if json.loads(line)["id"] in {"43c6940801d3", "5ffb7ec7abb2", "1b125da5b722"}
]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def address(node: str) -> Iterator[str]:
    """The address of a corpus that is removed at the end."""
    corpus = f"test-{uuid.uuid4().hex[:10]}"
    yield f"{node}/{corpus}"

    async def remove() -> None:
        client = open_client(ElasticsearchSettings.from_url(f"{node}/{corpus}"))
        for name in (await client.indices.get(index=f"{corpus}*")).body:
            await client.indices.delete(index=name)
        await client.close()

    asyncio.run(remove())


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"es://ann:hunter2@127.0.0.1:{free.getsockname()[1]}/corpus"


def test_question_is_answered_over_a_corpus_on_a_node(hoptree: Hoptree, address: str) -> None:
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", ROWS)
    indexed = hoptree("index", corpus, "--index", address)
    asked = hoptree("ask", QUESTION, "--json", env={"HOPTREE_INDEX": address})

    assert (indexed.returncode, asked.returncode) == (0, 0), indexed.stderr + asked.stderr
    assert "3 added" in indexed.stderr
    answer = Answer.model_validate_json(asked.stdout)
    assert answer.answer == "September 23, 1935"
    assert asked.stderr == ""


def test_what_cannot_be_indexed_is_named_and_the_rest_is_kept(
    hoptree: Hoptree, address: str
) -> None:
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", [*ROWS, {"id": "empty", "text": " "}])
    first = hoptree("index", corpus, "--index", address)
    second = hoptree("index", corpus, "--index", address, "--prune", "--delete", ROWS[0]["id"])

    assert (first.returncode, second.returncode) == (3, 3)
    assert "corpus.jsonl:4: text" in first.stderr
    assert "3 unchanged, 1 deleted; 2 passages" in second.stderr


def test_run_that_was_killed_is_completed_by_the_next(hoptree: Hoptree, address: str) -> None:
    rows = [{"id": f"n{n}", "text": f"编号{n}的短文。"} for n in range(3000)]
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", rows)

    async def begun() -> None:
        retriever = ElasticsearchRetriever.from_url(address)
        try:
            there = 0
            while not there:
                with suppress(IndexNotFoundError, NodeRequestError):  # its shard is just starting
                    there = await retriever.count()
                await asyncio.sleep(0.02)
        finally:
            await retriever.aclose()

    first = hoptree.start("index", corpus, "--index", address)
    asyncio.run(asyncio.wait_for(begun(), 120))
    first.kill()
    first.communicate()
    second = hoptree("index", corpus, "--index", address)

    assert second.returncode == 0
    said = re.search(
        r"(\d+) added, (\d+) changed, (\d+) unchanged, 0 deleted; (\d+)", second.stderr
    )
    assert said is not None
    added, changed, unchanged, passages = map(int, said.groups())
    assert added + changed + unchanged == passages == 3000
    assert unchanged > 0


def test_prune_and_rebuild_leave_what_the_files_hold(hoptree: Hoptree, address: str) -> None:
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", ROWS)
    hoptree("index", corpus, "--index", address)
    write_jsonl(corpus, ROWS[:2])
    pruned = hoptree("index", corpus, "--index", address, "--prune")
    write_jsonl(corpus, ROWS[:1])
    rebuilt = hoptree("index", corpus, "--index", address, "--rebuild")

    assert "2 unchanged, 1 deleted; 2 passages" in pruned.stderr
    assert "1 added, 0 changed, 0 unchanged, 0 deleted; 1 passages" in rebuilt.stderr


@pytest.mark.parametrize("option", ["--prune", "--rebuild"])
def test_nothing_is_pruned_where_no_files_were_named(
    hoptree: Hoptree, nowhere: str, option: str
) -> None:
    result = hoptree("index", option, "--delete", "x", "--index", nowhere)

    assert result.returncode == 2
    assert "need FILES" in result.stderr


def test_folder_is_not_rebuilt(hoptree: Hoptree) -> None:
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", ROWS)
    result = hoptree("index", corpus, "--index", hoptree.folder / "index", "--rebuild")

    assert result.returncode == 2
    assert "delete the folder" in result.stderr


def test_evaluation_runs_over_a_corpus_on_a_node(hoptree: Hoptree, address: str) -> None:
    questions = [{"id": "q", "question": QUESTION, "answer": "September 23, 1935"}]
    questions[0] |= {"aliases": [], "type": "bridge", "hops": 2, "supporting_passages": []}
    write_jsonl(hoptree.folder / "questions.jsonl", questions)
    corpus = write_jsonl(hoptree.folder / "corpus.jsonl", ROWS)
    hoptree("index", corpus, "--index", address)
    result = hoptree("eval", hoptree.folder, "--index", address, "--json")

    assert result.returncode == 0, result.stderr
    [summary] = json.loads(result.stdout)
    assert summary["f1"] == 100


@pytest.mark.parametrize("command", [("ask", "Who?"), ("index", "corpus.jsonl")])
def test_node_that_is_down_is_told_in_one_sentence_without_the_password(
    hoptree: Hoptree, nowhere: str, command: tuple[str, ...]
) -> None:
    write_jsonl(hoptree.folder / "corpus.jsonl", ROWS)
    result = hoptree(*command, "--index", nowhere)

    assert result.returncode == 4
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stdout + result.stderr


def test_connection_is_taken_from_the_settings(hoptree: Hoptree, nowhere: str) -> None:
    (hoptree.folder / "hoptree.toml").write_text("[elasticsearch]\ntimeout = 0\n")
    wrong = hoptree("ask", "Who?", "--index", nowhere)
    assert "elasticsearch.timeout" in wrong.stderr

    (hoptree.folder / "bad.pem").write_text("no certificate")
    for name in ("none.pem", "bad.pem"):
        (hoptree.folder / "hoptree.toml").write_text(f"[elasticsearch]\nca = '{name}'\n")
        refused = hoptree("ask", "Who?", "--index", nowhere.replace("es://", "es+https://"))
        assert refused.returncode == 4, refused.stderr
        assert name in refused.stderr


# ── faults between two hops ───────────────────────────────────────────────────────────────────


async def ask(
    index: ElasticsearchRetriever, model: LlamaCppChat, traces: Path, question: str = QUESTION
) -> Answer:
    settings = Settings(traces=traces)
    agent = Agent(index, model, settings=settings)
    return await agent.aask(question)


async def test_node_that_dies_between_two_hops_ends_in_an_answer_that_says_so(
    tmp_path: Path, installation: Installation, llama: LlamaCppChat
) -> None:
    with running(tmp_path / "home", installation) as started:

        class Doomed(ElasticsearchRetriever):
            """Its node is killed once the first search was answered."""

            async def search(self, *args: Any, **options: Any) -> list[list[Hit]]:
                found = await super().search(*args, **options)
                started.kill()
                return found

        index = Doomed.from_url(f"es://127.0.0.1:{started.port}/corpus")
        await index.aindex(load([write_jsonl(tmp_path / "corpus.jsonl", ROWS)]))
        answer = await ask(index, llama, tmp_path / "runs")
        await index.aclose()

    assert any("A search failed" in told and "is it running" in told for told in answer.notices)
    assert any("can no longer be searched" in told for told in answer.notices)
    [file] = (tmp_path / "runs").glob("**/*.jsonl")
    trace = read_trace(file)
    assert [e.text for e in trace if isinstance(e, Notice)] == list(answer.notices)
    assert not any(isinstance(event, RunFailed) for event in trace)


async def test_missing_shard_is_told_in_the_answer(
    tmp_path: Path, address: str, llama: LlamaCppChat
) -> None:
    index = ElasticsearchRetriever.from_url(address)
    await index.aindex(load([write_jsonl(tmp_path / "corpus.jsonl", ROWS)]))
    client = await index._client()
    corpus = index.settings.corpus
    meta = (await client.indices.get_mapping(index=corpus)).body[f"{corpus}.1"]["mappings"]["_meta"]
    await client.indices.create(
        index=f"{corpus}-red",
        mappings={"_meta": meta},
        settings={"index.routing.allocation.require._name": "nowhere"},
        aliases={corpus: {}},
        wait_for_active_shards=0,
    )
    answer = await ask(index, llama, tmp_path / "runs")
    await index.aclose()

    assert sum("a part of the corpus" in told for told in answer.notices) == 1


# ── round trips ───────────────────────────────────────────────────────────────────────────────


async def test_all_sub_questions_that_are_ready_cost_one_request(
    tmp_path: Path, address: str, llama: LlamaCppChat, encoder: MiniLMEncoder
) -> None:
    sent: list[str] = []

    class CountingNode(CompatibleNode):
        """Sends each request to the real node, and writes down what was sent."""

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, *rest: Any, **more: Any
        ) -> Any:
            sent.append(f"{method} {target.partition('?')[0]}")
            return await super().perform_request(method, target, *rest, **more)

    settings = ElasticsearchSettings.from_url(address)
    index = ElasticsearchRetriever(settings, encoder, node_class=CountingNode)
    rows = [
        row
        for line in corpus_path().read_text(encoding="utf-8").splitlines()
        if (row := json.loads(line))["id"] in {"535990d4d938", "8b197404947b"}
    ]
    await index.aindex(load([write_jsonl(tmp_path / "corpus.jsonl", rows)]))
    await index.check()
    sent.clear()
    question = "Which case came first, Craig v. Boren or United States v. Paramount Pictures, Inc.?"
    answer = await ask(index, llama, tmp_path / "runs", question)
    await index.aclose()

    [file] = (tmp_path / "runs").glob("**/*.jsonl")
    hops = [event for event in read_trace(file) if isinstance(event, Retrieved)]
    assert len(hops[0].queries) >= 2
    # Once a question it is looked whether anything is indexed.
    assert sent.count(f"POST /{settings.corpus}/_count") == 1
    assert sent.count(f"POST /{settings.corpus}/_msearch") == len(hops) == len(sent) - 1
    assert answer.usage.retrieval_calls == len(hops)
