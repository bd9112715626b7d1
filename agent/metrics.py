"""The official metrics: exact match and F1 of answers, recall of supporting passages.

English follows the SQuAD script (Rajpurkar et al., 2016) with HotpotQA's rule for yes/no (Yang et
al., 2018); Chinese follows the CMRC 2018 script (Cui et al., 2019), whose F1 counts the longest
common run of characters.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from retrievers.documents import document_of

_HAN = re.compile(r"[\u4e00-\u9fa5]")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CMRC_PUNCTUATION = frozenset("-:_*^/\\~`+=，。：？！“”；’《》…·、「」（）－～『』")
_CLOSED = frozenset({"yes", "no", "noanswer"})


def normalise_english(text: str) -> str:
    """Lower-case, drop punctuation and the articles, and join words by single spaces (SQuAD)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def segment_chinese(text: str) -> list[str]:
    """Split into Han characters and runs of other text, without CMRC's punctuation."""
    segments: list[str] = []
    for run in re.findall(r"[\u4e00-\u9fa5]|[^\u4e00-\u9fa5]+", text.lower().strip()):
        if _HAN.match(run):
            segments.append(run)
        else:
            bare = "".join(" " if char in _CMRC_PUNCTUATION else char for char in run)
            segments += re.findall(r"\w+(?:\.\w+)*|[^\w\s]", bare)
    return segments


def exact_match(prediction: str | None, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals any of `answers` after normalisation, else 0.0.

    `answers` are the answer and its aliases; an abstention (None) scores 0.
    """
    return _best(prediction, answers, _exact)


def f1(prediction: str | None, answers: Sequence[str]) -> float:
    """Return the best F1 over `answers`, in [0, 1]; an abstention (None) scores 0."""
    return _best(prediction, answers, _f1)


def recall_at(k: int, ranked: Sequence[str], supporting: Iterable[str]) -> float | None:
    """Return the share of the supporting documents among the first `k`; None where there are none.

    Averaged over questions, this is the recall@k of the tables. What supports an answer is named by
    its id in the corpus, which a long passage is split from: its parts count as the one that they
    are of, at the place of the first.

    Parameters
    ----------
    ranked
        Ids of passages, best first; those of parts as `retrievers.documents.split` makes them.
    supporting
        Ids of documents.
    """
    wanted = set(supporting)
    documents = dict.fromkeys(id_ if id_ in wanted else document_of(id_) for id_ in ranked)
    return len(wanted & set(islice(documents, k))) / len(wanted) if wanted else None


def _best(
    prediction: str | None, answers: Sequence[str], score: Callable[[str, str], float]
) -> float:
    if prediction is None:
        return 0.0
    return max((score(prediction, answer) for answer in answers), default=0.0)


def _exact(prediction: str, answer: str) -> float:
    if _HAN.search(answer):
        return float(_bare_chinese(prediction) == _bare_chinese(answer))
    return float(normalise_english(prediction) == normalise_english(answer))


def _bare_chinese(text: str) -> str:
    return "".join(char for char in text.lower().strip() if char not in _CMRC_PUNCTUATION)


def _f1(prediction: str, answer: str) -> float:
    if _HAN.search(answer):
        said, wanted = segment_chinese(prediction), segment_chinese(answer)
        return _harmonic(_longest_common_run(said, wanted), len(said), len(wanted))
    normal = normalise_english(prediction), normalise_english(answer)
    if normal[0] != normal[1] and _CLOSED & set(normal):
        return 0.0
    said, wanted = normal[0].split(), normal[1].split()
    if not said or not wanted:
        return float(said == wanted)
    return _harmonic(sum((Counter(said) & Counter(wanted)).values()), len(said), len(wanted))


def _harmonic(shared: int, said: int, wanted: int) -> float:
    if not shared:
        return 0.0
    precision, recall = shared / said, shared / wanted
    return 2 * precision * recall / (precision + recall)


def _longest_common_run(a: Sequence[str], b: Sequence[str]) -> int:
    best, previous = 0, [0] * (len(b) + 1)
    for item in a:
        current = [0] * (len(b) + 1)
        for index, other in enumerate(b, start=1):
            if item == other:
                current[index] = previous[index - 1] + 1
                best = max(best, current[index])
        previous = current
    return best
