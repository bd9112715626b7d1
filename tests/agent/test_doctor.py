"""`hoptree doctor`: what is in place, what is not, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from elastic_node import Connect
from hoptree_command import Hoptree

from retrievers.documents import Document
from retrievers.elastic import ElasticsearchRetriever
from retrievers.encoder import MiniLMEncoder
from retrievers.finding import Finding

TEXT = Document(id="ulm", title="Ulm", text="Ulm is a city on the Danube.")


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_everything_in_place_is_told_and_ends_in_zero(hoptree: Hoptree) -> None:
    (hoptree.folder / "a.txt").write_text("Ulm is a city on the Danube.")
    hoptree("index", "a.txt", "--index", "index")
    result = hoptree("doctor", "--index", "index")

    assert result.returncode == 0, result.stdout
    assert "1 passages in index" in result.stdout
    assert "fault" not in result.stdout


def test_what_is_missing_is_named_with_what_to_do(hoptree: Hoptree) -> None:
    (hoptree.folder / "runs").write_text("a file in the way")
    result = hoptree(
        "doctor", "--index", "es://127.0.0.1:1/corpus", "--model", "none.gguf", "--json"
    )

    assert result.returncode == 1
    found = by_name([Finding.model_validate(row) for row in json.loads(result.stdout)])
    assert {name for name, of in found.items() if of.status == "fault"} == {
        "model",
        "traces",
        "node",
    }
    assert "docker compose up" in found["node"].detail
    assert "HOPTREE_TRACES" in found["traces"].remedy


def test_index_that_is_not_there_yet_is_no_fault(hoptree: Hoptree) -> None:
    result = hoptree("doctor", "--index", hoptree.folder / "index")

    assert result.returncode == 0
    assert "hoptree index" in result.stdout


def test_engine_that_cannot_be_loaded_is_a_fault_and_the_rest_is_still_looked_at(
    hoptree: Hoptree,
) -> None:
    (hoptree.folder / "onnxruntime.py").write_text("raise ImportError('libgomp.so.1 is missing')")
    result = hoptree("doctor", "--json", env={"PYTHONPATH": str(hoptree.folder)})

    assert (result.returncode, result.stderr) == (1, "")
    found = by_name([Finding.model_validate(row) for row in json.loads(result.stdout)])
    assert {name: of.status for name, of in found.items()} == {
        "model": "ok",
        "encoder": "fault",
        "parser": "ok",
        "English reader": "fault",
        "Chinese reader": "fault",
        "traces": "ok",
        "index": "warning",
    }
    assert "libgomp.so.1 is missing" in found["encoder"].detail
    assert found["English reader"].remedy


def test_wrong_address_is_a_fault(hoptree: Hoptree) -> None:
    result = hoptree("doctor", "--index", "es://host")

    assert result.returncode == 1
    assert "write it as es://" in result.stdout


@pytest.fixture
async def corpus(connect: Connect, encoder: MiniLMEncoder) -> ElasticsearchRetriever:
    retriever = connect(encoder)
    await retriever.aindex([TEXT])
    return retriever


async def test_node_and_corpus_are_examined(corpus: ElasticsearchRetriever) -> None:
    found = by_name(await corpus.examine())

    assert "Elasticsearch" in found["node"].detail
    assert "1 passages" in found["mapping"].detail
    assert "384 dimensions" in found["vectors"].detail
    assert "zurich bridg" in found["analysers"].detail
    assert found["disk"].status in ("ok", "warning")
    # The test node has no licence module; a node as it is delivered says `basic`.
    assert found["licence"].status in ("ok", "warning")
    assert "basic" in found["licence"].detail


async def test_read_only_corpus_is_a_fault_with_a_remedy(corpus: ElasticsearchRetriever) -> None:
    client = await corpus._client()
    await client.indices.put_settings(
        index=corpus.settings.corpus, settings={"index.blocks.read_only_allow_delete": True}
    )
    found = by_name(await corpus.examine())

    assert found["writing"].status == "fault"
    assert "disk" in found["writing"].remedy


async def test_corpus_of_another_format_and_one_that_is_missing(
    connect: Connect, tmp_path: Path
) -> None:
    missing = by_name(await connect().examine())
    old = connect()
    client = await old._client()
    await client.indices.create(
        index=f"{old.settings.corpus}.1",
        mappings={"_meta": {"hoptree_format": 1}},
        aliases={old.settings.corpus: {}},
    )
    found = by_name(await old.examine())

    assert (missing["corpus"].status, found["corpus"].status) == ("warning", "fault")
    assert "hoptree index" in missing["corpus"].detail
    assert "--rebuild" in found["corpus"].detail


async def test_corpus_without_vectors_of_our_encoder_is_told(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    bare = connect()
    await bare.aindex([TEXT])
    found = by_name(await connect(encoder, corpus=bare.settings.corpus).examine())

    assert found["vectors"].status == "warning"
    assert "--rebuild" in found["vectors"].remedy
