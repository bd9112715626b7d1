"""Where a question can be split in two, and what speaks for each place.

A split points at words of the question, after DecompRC (Min et al., 2019, "Multi-hop Reading
Comprehension through Question Decomposition and Rescoring"), so no name can be misspelt. Two kinds
of question hold a description of a thing that they do not name:

- nested: "Where was [the band who released X] formed?": the words in brackets are the description,
  the rest asks about it;
- in situ: "Y is a song by [a British band] formed in what year?": what stands before the end of the
  brackets tells what the thing is, what stands behind it asks.

Candidates are phrases around the nouns that the parser finds, cut at every word: which of them is
the description, if any, is learned (`training/planner`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from graph.planning.language import asks_here, noun_type
from graph.planning.masking import Masked
from graph.planning.nested import is_inner
from graph.types import AnswerType

Kind = Literal["nested", "in_situ"]
LONGEST = 60
"""Words of a question; a longer one is not split."""
_ENDS_NOTHING = {"DET", "CCONJ", "SCONJ"}
_FRONTED = {"who", "whom", "whose", "what", "which", "when", "where", "why", "how"}
_AUXILIARY = {"is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can"}


class Split(NamedTuple):
    """A phrase of the parsed question: tokens `first` to `last`, around the noun `head`."""

    kind: Kind
    first: int
    last: int
    head: int


def candidates(doc: Any, masked: Masked) -> list[Split]:
    """Return every place where a parsed, masked question may be split."""
    if len(doc) > LONGEST:
        return []
    words = [t for t in doc if not t.is_punct and not t.is_space]
    if not words:
        return []
    end = words[-1].i
    asked = [t.i for t in doc if asks_here(t)]
    fronted = _fronted(doc)
    found: dict[tuple[str, int, int], Split] = {}
    for head in doc:
        if head.pos_ not in {"NOUN", "PROPN", "PRON", "NUM", "ADJ", "VERB"} or asks_here(head):
            continue
        if masked.is_title(head.text) and not any(c.dep_ in _LOOSE for c in head.children):
            continue
        for first in _begins(head):
            for last in range(head.i, end + 1):
                if any(first <= n <= last for n in asked):
                    break
                if doc[last].pos_ in _ENDS_NOTHING or (first, last) == (0, end):
                    continue
                if doc[last].is_punct and doc[last].text not in '"”)':
                    continue
                if last == first and doc[last].pos_ != "NOUN":
                    continue
                split = Split("nested", first, last, head.i)
                kept = found.get(("nested", first, last))
                if kept is None or _inside(doc, split) < _inside(doc, kept):
                    found["nested", first, last] = split
                behind = last <= head.i + 6 and any(n > last for n in asked)
                named = head.pos_ == "NOUN" and doc[last].pos_ in {"NOUN", "PROPN", "NUM"}
                if not fronted and behind and first > 0 and named:
                    found.setdefault(
                        ("in_situ", first, last), Split("in_situ", first, last, head.i)
                    )
    return list(found.values())


_LOOSE = {"relcl", "acl", "appos", "prep", "poss"}


def _fronted(doc: Any) -> bool:
    opening = [t.lower_ for t in doc[:2]]
    return opening[0] in _FRONTED | _AUXILIARY or opening[-1] in _FRONTED


def _begins(head: Any) -> list[int]:
    """Return where a phrase around a noun may begin: at its first word, or at a nearer one."""
    lefts = [c for c in head.lefts if c.dep_ not in {"cc", "preconj"}]
    begins = {head.i, *(c.left_edge.i for c in lefts)}
    return sorted(begins)[:3]


def _inside(doc: Any, split: Split) -> int:
    """Count the words of a phrase that hang on a word outside, other than its head."""
    span = range(split.first, split.last + 1)
    return sum(doc[n].head.i not in span for n in span if n != split.head)


def signs_of_split(doc: Any, masked: Masked, split: Split, grammar: Split | None) -> list[str]:
    """Return what can be seen of a split, as names of weights.

    `grammar` is the phrase that `graph.planning.nested` would take, None for none.
    """
    first, last, head = split.first, split.last, doc[split.head]
    span = range(first, last + 1)
    before = doc[first - 1] if first else None
    after = doc[last + 1] if last + 1 < len(doc) else None
    right = [c for c in head.rights if c.i in span]
    cut = [c for c in head.rights if c.i not in span]
    inner = [doc[n] for n in span]
    loose = sum(t.head.i not in span for t in inner if t.i != head.i)
    entering = sum(t.head.i in span for t in doc if t.i not in span and not t.is_punct)
    names = sum(masked.is_title(t.text) for t in inner)
    outside = [t for t in doc if t.i not in span and not t.is_punct]
    left = sum(not t.is_stop for t in outside)
    kind = noun_type(head.lemma_)
    opening = doc[0].lower_ if doc[0].lower_ in _FRONTED | _AUXILIARY else "-"
    determiner = next((c for c in head.lefts if c.dep_ in {"det", "poss"}), None)
    clauses = [c for c in right if c.dep_ in {"relcl", "acl"}]
    attached = "+".join(sorted({_dep(c) for c in right})) or "-"
    at_edge = last == max((t.i for t in head.subtree), default=head.i)
    child_edge = any(c.right_edge.i == last for c in right)
    article = determiner.lower_ if determiner is not None and determiner.dep_ == "det" else "-"
    auxiliary = next((t for t in doc[:6] if t.lower_ in _AUXILIARY), None)
    helper = auxiliary.lower_ if auxiliary is not None and auxiliary.i < first else "-"
    behind = [t for t in doc[last + 1 :] if not t.is_punct]
    between = doc[auxiliary.i + 1 : first] if auxiliary is not None and auxiliary.i < first else []
    asked = [t for t in doc if asks_here(t)]
    next_to = doc[last + 2] if last + 2 < len(doc) else None
    said = [
        "bias",
        f"rest={helper}/{len(behind) > 0}/{any(t.pos_ in {'NOUN', 'PROPN'} for t in between)}",
        f"rest.verb={helper}/{any(t.pos_ == 'VERB' for t in outside)}/{opening}",
        f"rest.tag={helper}/{behind[0].tag_ if behind else '$'}",
        f"last.verb={helper}/{doc[last].pos_ == 'VERB'}/{len(behind) > 0}/{doc[last].tag_}",
        f"last.dep={doc[last].dep_}/{doc[last].head.i == split.head}",
        f"last.two={doc[last - 1].pos_ if last > first else '^'}/{doc[last].tag_}",
        f"after.two={after.pos_ if after is not None else '$'}"
        f"/{next_to.pos_ if next_to is not None else '$'}",
        f"what={article}/{attached}",
        f"who={article}/{kind}/{attached}",
        f"inner={is_inner(head)}/{attached}",
        f"asked.up={any(t.head.i in span for t in asked)}",
        f"place={before.lower_ if before is not None else '^'}/{attached}",
        f"pos={head.tag_}",
        f"dep={head.dep_}",
        f"up={head.head.pos_}/{head.head.dep_}",
        f"lemma={head.lemma_.lower() if not masked.is_title(head.text) else '*'}",
        f"type={kind}/{head.dep_}",
        f"det={determiner.dep_ if determiner else '-'}"
        f"/{determiner.lower_ if determiner is not None and determiner.dep_ == 'det' else '*'}",
        f"first={doc[first].tag_}/{first == 0}",
        f"before={before.pos_ if before is not None else '^'}",
        f"before.word={before.lower_ if before is not None else '^'}",
        f"last={doc[last].tag_}",
        f"last.word={doc[last].lower_ if doc[last].pos_ in {'ADP', 'PART', 'AUX', 'ADV'} else '*'}",
        f"after={after.tag_ if after is not None else '$'}",
        f"after.word={after.lower_ if after is not None and after.pos_ != 'PROPN' else '*'}",
        f"after.dep={after.dep_ if after is not None else '$'}",
        f"edges={doc[last].pos_}>{after.pos_ if after is not None else '$'}",
        f"right={attached}",
        f"cut={'+'.join(sorted({_dep(c) for c in cut})) or '-'}",
        f"clause={clauses[0].tag_ if clauses else '-'}",
        f"edge={at_edge}/{child_edge}",
        f"left.edge={first == min(t.i for t in head.subtree)}",
        f"loose={min(loose, 3)}",
        f"entering={min(entering, 3)}",
        f"names={min(names, 3)}",
        f"length={min(len(inner), 15) // 2}",
        f"outside={min(left, 5)}",
        f"outside.names={min(sum(masked.is_title(t.text) for t in outside), 2)}",
        f"opening={opening}/{head.dep_}",
        f"within={_noun_phrases_within(inner, head)}",
        f"head.at={min(split.head - first, 4)}",
    ]
    if split.kind == "nested" and grammar is not None:
        same_end, same_begin = grammar.last == last, grammar.first == first
        said.append(f"grammar={same_begin}/{same_end}")
        said.append(f"grammar.head={grammar.head == split.head}")
    elif split.kind == "nested":
        said.append("grammar=none")
    else:
        root = next((t for t in doc if t.dep_ == "ROOT"), doc[0])
        said.append(f"root.in={root.i < first}")
        said.append(f"told={any(t.pos_ in {'VERB', 'AUX'} for t in doc[:first])}")
        said.append(
            f"wh.next={after is not None and any(asks_here(t) for t in doc[last + 1 : last + 4])}"
        )
    return [f"{split.kind}:{name}" for name in said]


def signs_of_whole(doc: Any, masked: Masked, grammar: Split | None) -> list[str]:
    """Return what speaks for leaving a question whole, as names of weights."""
    clauses = sum(t.dep_ in {"relcl", "acl"} for t in doc)
    leading = sum(
        t.dep_ in {"prep", "poss"} and noun_type(t.head.lemma_) is not AnswerType.ANY for t in doc
    )
    names = sum(masked.is_title(t.text) for t in doc)
    known = {t.lower_ for t in doc}
    told = "#" in masked.unmask(doc.text)
    said = [
        "bias",
        f"opening={doc[0].lower_}",
        f"opening2={doc[0].lower_} {doc[1].lower_ if len(doc) > 1 else ''}",
        f"clauses={min(clauses, 3)}",
        f"leading={min(leading, 3)}",
        f"names={min(names, 4)}",
        f"length={min(len(doc), 30) // 3}",
        f"grammar={grammar is not None}",
        f"told={told}",
        f"told.names={told}/{min(names, 3)}",
        f"told.clauses={told}/{min(clauses, 2)}",
        f"fronted={_fronted(doc)}",
        *(
            f"has={word}"
            for word in ("both", "or", "and", "same", "than", "also", ",")
            if word in known
        ),
    ]
    return [f"whole:{name}" for name in said]


def _dep(token: Any) -> str:
    return f"{token.dep_}:{token.lower_}" if token.dep_ == "prep" else str(token.dep_)


def _noun_phrases_within(inner: Sequence[Any], head: Any) -> int:
    """Count the nouns of a phrase, its head left out, that are described in turn: 2 for more."""
    others = [t for t in inner if t.pos_ == "NOUN" and t.i != head.i]
    described = [t for t in others if any(c.dep_ in {"relcl", "acl"} for c in t.children)]
    return min(2, len(described))
