"""What stands behind `hoptree doctor`: what is looked at, and how it is shown."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agent.errors import HoptreeError
from agent.settings import Settings
from agent.show import safe
from retrievers.connection import is_address
from retrievers.errors import RetrieverError
from retrievers.finding import Finding
from retrievers.passage import Passage

LEAST_FREE = 2**30
"""Bytes of free disk below which a warning is given."""
_STYLES = {"ok": "green", "warning": "yellow", "fault": "red"}


def examine(settings: Settings) -> list[Finding]:
    """Look at all that an answer needs: the models, the parser, the traces, the disk, the index."""
    findings = [
        _looked("model", lambda: _model(settings)),
        _looked("encoder", _encoder),
        _looked("parser", _parser),
        _looked("English reader", _english_reader),
        _looked("Chinese reader", _chinese_reader),
        _looked("traces", lambda: _traces(settings.traces)),
    ]
    if settings.index is not None and is_address(settings.index):
        try:
            findings += asyncio.run(_on_node(settings.index, settings))
        except Exception as error:
            findings.append(_fault("index", error))
    else:
        findings.append(_looked("index", lambda: _in_folder(settings)))
    return findings


def show(findings: list[Finding], console: Console) -> None:
    """Print one line a finding, and below it what to do."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        line = Text(f"{finding.status:<8}", _STYLES[finding.status])
        line.append(f"{finding.name:<{width}}  {safe(finding.detail)}", "default")
        console.print(line)
        if finding.remedy:
            console.print(Text(f"{'':<8}{'':<{width}}  → {safe(finding.remedy)}"))


def _looked(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:  # what is broken may raise anything, and the rest is looked at still
        return _fault(name, error)


def _fault(name: str, error: Exception) -> Finding:
    if isinstance(error, HoptreeError | RetrieverError | OSError):  # which say what is to be done
        return Finding(name=name, status="fault", detail=str(error))
    detail = f"{type(error).__name__}: {error}"
    return Finding(name=name, status="fault", detail=detail, remedy="install hoptree again")


def _model(settings: Settings) -> Finding:
    from agent.gguf import checked_gguf, default_model, load_gguf
    from agent.planners import adapter_of

    path = checked_gguf(settings.model or default_model())
    size = path.stat().st_size / 2**20
    detail = f"{path.name}, {size:.0f} MiB"
    if (adapter := adapter_of(settings.model, str(settings.planner_lora))) is not None:
        # Only llama.cpp tells whether an adapter fits its model.
        load_gguf(path, adapter.checked(), n_ctx=64, n_threads=1).close()
        detail += f", plans with {adapter.path.name}"
    return Finding(name="model", status="ok", detail=detail)


def _encoder() -> Finding:
    from retrievers.encoder import MiniLMEncoder

    encoder = MiniLMEncoder()
    encoder.encode(["Does it encode?"])
    detail = f"all-MiniLM-L6-v2, {encoder.dimensions} dimensions"
    return Finding(name="encoder", status="ok", detail=detail)


def _parser() -> Finding:
    from graph.planning.language import parser

    pipeline = parser()
    pipeline("Does it parse?")
    return Finding(name="parser", status="ok", detail=f"spaCy {pipeline.meta['name']}")


def _english_reader() -> Finding:
    from agent.readers.encoder_reader import ENGLISH, EncoderReader

    passage = Passage(id="ulm", text="Ulm is a city on the Danube.")
    EncoderReader(ENGLISH).read("Which city is on the Danube?", [passage])
    return Finding(name="English reader", status="ok", detail=ENGLISH.weights.name)


def _chinese_reader() -> Finding:
    from agent.readers.encoder_reader import CHINESE, EncoderReader

    passage = Passage(id="beijing", text="北京位于中国北部。")
    EncoderReader(CHINESE).read("北京在哪里？", [passage])
    return Finding(name="Chinese reader", status="ok", detail=CHINESE.weights.name)


def _traces(folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Finding(
            name="traces",
            status="fault",
            detail=f"nothing can be written to {folder}",
            remedy="make it writable, or name another folder in HOPTREE_TRACES",
        )
    return _disk("traces", f"in {folder}", there)


def _in_folder(settings: Settings) -> Finding:
    from retrievers.embedded import EmbeddedIndex
    from retrievers.errors import IndexNotFoundError

    folder = settings.index_folder
    try:
        index = EmbeddedIndex.open(folder)
    except IndexNotFoundError as error:
        return Finding(name="index", status="warning", detail=str(error))
    try:
        return _disk("index", f"{index.passages()} passages in {folder}", folder)
    finally:
        index.close()


def _disk(name: str, detail: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{detail}, {free / 2**30:.1f} GiB free"
    if free < LEAST_FREE:
        return Finding(name=name, status="warning", detail=detail, remedy="free space on this disk")
    return Finding(name=name, status="ok", detail=detail)


async def _on_node(address: str, settings: Settings) -> list[Finding]:
    from agent.indexes import open_corpus

    corpus = open_corpus(address, settings)
    try:
        return await corpus.examine()
    finally:
        await corpus.aclose()
