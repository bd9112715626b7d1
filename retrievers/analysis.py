"""From text to index terms, English and Chinese, and the language of a text."""

from __future__ import annotations

import functools
import logging
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

import snowballstemmer

Language = Literal["en", "zh"]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Chinese characters, as the inside of a regular expression's brackets."""
_RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
_HAN_CHARACTER = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W\d_]")
# Lucene's English list plus question words, which say nothing of what a passage holds.
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with were has have had do does did who whom whose which "
    "what when where why how from its his her he she".split()
)
STOP_WORDS_ZH = frozenset(
    "的 了 是 在 和 与 及 吗 呢 什么 谁 哪 哪里 哪个 哪位 何时 为 有 "
    "與 嗎 什麼 誰 哪裡 哪裏 哪個 何時 為".split()
)


def is_han(character: str) -> bool:
    """Return whether this one character is a Chinese one."""
    return _HAN_CHARACTER.match(character) is not None


def language_of(text: str) -> Language:
    """Return "zh" where Chinese characters are at least a third of the letters, else "en"."""
    letters = len(_LETTER.findall(text))
    return "zh" if letters and 3 * len(_HAN_CHARACTER.findall(text)) >= letters else "en"


@functools.cache
def segmenter() -> Any:
    """Return jieba's segmenter, loaded once (about a second)."""
    import jieba

    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    return jieba.dt


@functools.cache
def tagger() -> Any:
    """Return jieba's tagger of parts of speech, over `segmenter`, loaded once."""
    segmenter()
    import jieba.posseg

    return jieba.posseg.dt


# A stemmer keeps state while it works, so each call makes do with one from a small cache.
@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of an English word (Snowball). Safe to call from many threads."""
    return str(snowballstemmer.stemmer("english").stemWord(word))


def folded(text: str) -> str:
    """Return the text without case and accents, in compatible forms (NFKD)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run] * bool(run)


def _chinese(run: str) -> Iterator[str]:
    """Yield dictionary words and the shorter ones inside them, and bigrams of what lies between.

    jieba's dictionary is of simplified characters. Its guesses at unknown words depend on what
    stands around them, so a question and a passage would be cut differently: unknown stretches
    (names, traditional text) become bigrams instead, which depend on nothing.
    """
    jieba = segmenter()
    unknown = ""
    for word in jieba.lcut(run, HMM=False):
        if len(word) == 1 and word not in STOP_WORDS_ZH:
            unknown += word
            continue
        yield from _bigrams(unknown)
        unknown = ""
        if word in STOP_WORDS_ZH:
            continue
        for size in range(2, min(len(word), 4)):
            pieces = (word[i : i + size] for i in range(len(word) - size + 1))
            yield from (piece for piece in pieces if jieba.FREQ.get(piece))
        yield word
    yield from _bigrams(unknown)


def terms(text: str) -> list[str]:
    """Return the index terms of a text, in order, repeated as they are.

    English words are folded (case, accents), freed of stop words and stemmed (Snowball). Chinese
    runs are cut into words by jieba in search mode, and into bigrams of characters where its
    dictionary knows no word. No term holds a space or ASCII punctuation.
    """
    found: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _HAN_CHARACTER.match(run):
            found += _chinese(run)
        elif run not in STOP_WORDS:
            found.append(stem(run))
    return found
