"""A sample corpus with its questions, so that the first command has something to answer from."""

from __future__ import annotations

from pathlib import Path


def corpus_path() -> Path:
    """Return the JSONL file of 240 HotpotQA and 120 CMRC 2018 passages."""
    return Path(__file__).with_name("corpus.jsonl")


def questions_path() -> Path:
    """Return the JSONL file of the 40 questions that the sample passages answer."""
    return Path(__file__).with_name("questions.jsonl")
