"""Decomposition of nested questions: the innermost description first, as a question of its own.

A question holds descriptions of things it does not name: "the director of film X", "the city where
X lived". Each is a noun with what leads to a name: an "of" phrase, a possessive, a relative clause
or a participle. Each is resolved by a sub-question of its own and replaced by a reference,
innermost first; what remains is the last step.
"""

from __future__ import annotations

import re
from typing import Any

from graph.planning.clauses import asked_of_clause, question_word, text_of
from graph.planning.insitu import fronted, split_in_situ
from graph.planning.kinship import readings
from graph.planning.language import asks_here, expected_type, lookup, noun_type, parser
from graph.planning.masking import Masked
from graph.types import AnswerType, SubQuestion

MAX_STEPS = 6
# "the city of X": the noun says what X is, it does not lead away from it.
_APPOSITION = set(
    "city state town village province county kingdom island republic university battle district "
    "region country film movie song album book novel series show game play band".split()
)
# Nouns that name a property of their complement and so are asked for with it, never alone.
EMPTY_HEADS = set(
    "name kind type sort part number amount one list member rest year date day time end beginning "
    "middle population half reason way birth death origin citizenship idea form title story series "
    "side area top bottom age size length height era home site".split()
)
PROPERTIES = set(
    "nationality citizenship religion occupation profession genre language ethnicity gender sex "
    "population age height length size area currency position rank color colour".split()
)
_ATTACHED = {"prep", "poss", "relcl", "acl"}
_TO_NAMES = {"of", "from", "by", "for", "in", "at", "on", "behind", "to", "with"}
# "an album entitled X": the participle gives the name and leads nowhere.
_NAMING = {"entitle", "title", "call", "name", "dub", "nickname"}
_EXTRAPOSED = re.compile(
    r"((?:When|Where|How) (?:was|were)) (the \w+) (\w+) ((?:who|that|which) .+)\?"
)
_STRANDED = {"in", "at", "on", "of", "out", "from", "by", "for", "to", "with", "near"}
DEGENERATE = re.compile(
    r"(?:who|what|when|where|which \w+) (?:is|was|are|were) #\d+\s*\??", re.IGNORECASE
)
_LEAD = re.compile(
    r"(?P<lead>(?:When|Where|Why|How(?: \w+)?|(?:In|On|At|From|To|For) (?:what|which)(?: \w+){1,2}"
    r"|(?:What|Which)(?: \w+){1,2})"
    r" (?:was|were|is|are|did|does|do|has|had)) (?P<phrase>.+)\?"
)
_OBJECT_GAP = re.compile(r"\b(?:that|which|whom|who|where|when)\s+(?:(?:the|an?) )?[A-Z]")
_GROUP_GENITIVE = re.compile(r"\b(the (\w+) of (?:the )?[A-Z]\w+)['’][sS]? (\w+)(?=\?|$)")


def decompositions(question: str) -> list[list[SubQuestion]]:
    """Return the readings of a question as steps, the likeliest first: kinship may have two."""
    masked = Masked(plain(question))
    split = split_in_situ(masked)
    if split is not None:
        first, last = split
        if first is None:
            return decompositions(last)
        steps = decompose(first)
        text = last.replace("#1", f"#{len(steps)}")
        return [[*steps, lookup(fronted(text))]]
    return [_chain(Masked(plain(question)), text) for text in readings(masked.text)]


def decompose(question: str) -> list[SubQuestion]:
    """Return the steps of a nested question; a single step where nothing is nested."""
    return decompositions(question)[0]


def _chain(masked: Masked, text: str) -> list[SubQuestion]:
    steps: list[SubQuestion] = []
    text = _EXTRAPOSED.sub(r"\1 \2 \4 \3?", _GROUP_GENITIVE.sub(_of_group, text))
    lead, text, tail = _without_tail(text, masked)
    while len(steps) < MAX_STEPS - 1:
        doc = parser()(text)
        found = innermost(doc, masked)
        if found is None:
            break
        head, members = found
        asked = masked.unmask(asked_of_phrase(head, members, masked))
        span = (members[0].i, members[-1].i + 1)
        steps.append(lookup(asked))
        unsplit = text
        # A stand-in name for the answer: the parser knows names, not references.
        word = masked.add(f"#{len(steps)}")
        text = spliced(doc, span, word)
    if tail:
        text = f"{lead} {text.removeprefix('Where was ').rstrip('? ')} {tail}?"
    final = _inverted(masked.unmask(text))
    if steps and DEGENERATE.fullmatch(final):
        # "Where was the place of death of X?" asks nothing beyond its description.
        kind = expected_type(final)
        last = steps.pop()
        if kind is AnswerType.DATE and last.expects is not AnswerType.DATE:
            # "When" it was bought, and not "which" was.
            return [*steps, lookup(masked.unmask(unsplit))]
        expects = last.expects if last.expects is not AnswerType.ANY else kind
        return [*steps, last.model_copy(update={"expects": expects})]
    steps.append(lookup(final))
    return steps


def plain(question: str) -> str:
    """Drop what only wraps the question: "What is the name of the …"."""
    text = " ".join(question.split())
    return re.sub(r"^What (is|was) the name of (?=the |an? )", r"What \1 ", text)


def _of_group(match: re.Match[str]) -> str:
    """Read "the director of X's birthday" as the birthday of the director."""
    person = noun_type(match[2]) is AnswerType.PERSON
    return f"the {match[3]} of {match[1]}" if person else match[0]


def _without_tail(text: str, masked: Masked) -> tuple[str, str, str]:
    """Take off the verb after the last name: "Where did the director of X |study|?".

    The parser would give it to the phrase before it. What is left is a question about that phrase.
    """
    match = _LEAD.fullmatch(text)
    if match is None:
        return "", text, ""
    words = match["phrase"].split()
    named = [n for n, w in enumerate(words) if masked.is_title(re.sub(r"\W.*", "", w))]
    if not named:
        return "", text, ""
    last = named[-1]
    if "'" in words[last] or "’" in words[last]:
        # "X's father die": the possessed noun still belongs to the phrase.
        last = _next_noun(words, last)
    if match["lead"].split()[-1] in {"was", "were", "is", "are"}:
        # One participle, with its preposition, ends the question; nouns belong to the phrase.
        prepositions = next(n for n, w in enumerate(reversed(words)) if w not in _STRANDED)
        if match["lead"].startswith(("What", "Which")) and not prepositions:
            return "", text, ""
        last = max(last, len(words) - 2 - prepositions)
    phrase, tail = words[: last + 1], words[last + 1 :]
    if not 1 <= len(tail) <= 4 or _OBJECT_GAP.search(" ".join(phrase)):
        return "", text, ""
    if not re.search(r"\b(?:of|by|in|who|that)\b|['’]", " ".join(phrase)):
        return "", text, ""
    return match["lead"], f"Where was {' '.join(phrase)}?", " ".join(tail)


def _next_noun(words: list[str], after: int) -> int:
    known = (n for n in range(after + 1, len(words)) if noun_type(words[n]) is not AnswerType.ANY)
    return next(known, after + 1)


def _inverted(text: str) -> str:
    """Turn "Which country #1 is from?" into "Which country is #1 from?"."""
    text = re.sub(r"^((?:Which|What) \w+) (#\d+) (is|was|are|were) ", r"\1 \3 \2 ", text)
    match = re.fullmatch(r"((?:Which|What) \w+) (#\d+) (\w+)\?", text)
    if match is None:
        return text
    verb = parser()(f"He {match[3]} it.")[1]
    return f"{match[1]} did {match[2]} {verb.lemma_}?" if verb.tag_ == "VBD" else text


def innermost(doc: Any, masked: Masked) -> tuple[Any, list[Any]] | None:
    """Return the noun of the innermost description and the tokens of its phrase."""
    found = []
    for token in doc:
        if token.pos_ not in {"NOUN", "PROPN"} or masked.is_title(token.text):
            continue
        if token.lemma_.lower() in EMPTY_HEADS or not is_inner(token):
            continue
        attached = _attached(token, masked)
        members = phrase_of(token)
        if attached and _definite(token) and not any(asks_here(t) for t in members):
            found.append((token, members))
    return min(found, key=lambda row: (len(row[1]), row[0].i), default=None)


def _attached(head: Any, masked: Masked) -> list[Any]:
    return [c for c in head.children if c.dep_ in _ATTACHED and _leads(c, masked, head)]


def phrase_of(head: Any) -> list[Any]:
    """Return the tokens of the phrase: the run around its head, without a conjoined phrase."""
    conjoined = {t.i for c in head.children if c.dep_ in {"conj", "cc"} for t in c.subtree}
    by_index = {t.i: t for t in head.subtree if t.i not in conjoined}
    run = [head]
    while run[-1].i + 1 in by_index:
        run.append(by_index[run[-1].i + 1])
    while run[0].i - 1 in by_index:
        run.insert(0, by_index[run[0].i - 1])
    while len(run) > 1 and run[-1].is_punct:
        run.pop()
    return run


def is_inner(token: Any) -> bool:
    """Tell a phrase inside the question from the one that is asked for."""
    if any(asks_here(t) for t in token.children) or token.dep_ == "ROOT":
        return False
    verb = token.head
    if token.dep_ not in {"attr", "nsubj"} or verb.lemma_ != "be" or verb.dep_ != "ROOT":
        return True
    # "Who is the director …", "What city is the seat …": the complement of what is asked for is
    # the same thing, unless a property of it is asked ("What nationality is the director …").
    others = [c for c in verb.children if c.i != token.i and c.dep_ in {"attr", "nsubj", "acomp"}]
    asked = [c for c in others if any(asks_here(t) for t in c.subtree)]
    if asked:
        return any(c.lemma_.lower() in PROPERTIES for c in asked)
    return any(asks_here(t) for t in token.doc)


def _definite(token: Any) -> bool:
    determiners = [c for c in token.children if c.dep_ in {"det", "poss"}]
    if token.tag_ in {"NNS", "NNPS"}:
        return False
    if any(d.dep_ == "poss" for d in determiners):
        return True
    if any(d.lower_ in {"a", "an", "any", "some", "each", "every", "no"} for d in determiners):
        return any(c.dep_ in {"relcl", "acl"} for c in token.children)
    return bool(determiners) or token.dep_ in {"pobj", "poss", "dobj", "nsubj", "nsubjpass"}


def _leads(attached: Any, masked: Masked, head: Any) -> bool:
    """Tell whether an attachment leads from a noun to a name, and so can be looked up."""
    if attached.dep_ in {"prep", "poss"}:
        if noun_type(head.lemma_) is AnswerType.ANY:
            return False
        if attached.dep_ == "prep" and attached.lower_ not in _TO_NAMES:
            return False
        if attached.lower_ == "of" and head.lemma_.lower() in _APPOSITION:
            return False
    if attached.dep_ == "acl" and (attached.lemma_ in _NAMING or attached.tag_ == "VB"):
        return False
    return any(masked.is_title(t.text) or t.pos_ == "PROPN" for t in attached.subtree)


def asked_of_phrase(head: Any, members: list[Any], masked: Masked) -> str:
    """Return the question that a description answers: "the band who released X": "Which …?"."""
    attached = _attached(head, masked)
    clauses = [c for c in attached if c.dep_ in {"relcl", "acl"}]
    if len(attached) == 1 and clauses:
        asked = asked_of_clause(head, clauses[0], members)
        if asked:
            return asked
    # "this 1941 film" points at what the question itself describes.
    phrase = re.sub(r"^(?:The|[Tt]h(?:is|ese|at|ose))\b", "the", text_of(members))
    verb = "was" if re.search(r"\b(?:was|were|did|had)\b|ed\b", phrase) else "is"
    article = (
        "" if re.match(r"(?:the|an?|his|her|its)\b", phrase, re.I) or clauses else _article(members)
    )
    return f"{question_word(head)} {verb} {article}{phrase}?"


def _article(members: list[Any]) -> str:
    possessive = any(t.dep_ == "poss" for t in members)
    return "" if possessive else "the "


def spliced(doc: Any, span: tuple[int, int], word: str) -> str:
    before = doc[: span[0]].text_with_ws if span[0] else ""
    after = doc[span[1] :].text
    if closes_clause(doc, *span):
        after = after[1:]
    space = doc[span[1] - 1].whitespace_
    return f"{before}{word}{space}{after}"


def closes_clause(doc: Any, begin: int, behind: int) -> bool:
    """Tell whether the comma behind a phrase closed a clause in it: "X, who was Y|, wrote …".

    A name in place of the phrase needs none, and "#1, wrote what?" would be no question.
    """
    if behind >= len(doc) or doc[behind].text != ",":
        return False
    if begin and not any(t.text == "," for t in doc[begin:behind]):
        return False
    said = next((t for t in doc[behind + 1 :] if t.pos_ != "ADV"), None)
    return said is not None and said.tag_ in {"VB", "VBD", "VBZ", "VBP", "MD"}
