"""Nested descriptions: "the mother of the director of X" is asked from the inside out.

A description is a noun phrase with a definite head noun and something attached that leads to a
name: an "of" phrase, a possessive, a relative clause or a participle. Each is resolved by a
sub-question of its own and replaced by a reference, innermost first; what remains is the last step.
"""

from __future__ import annotations

import re
from typing import Any

from graph.planning.language import Masked, expected_type, noun_type, parser
from graph.types import AnswerType, SubQuestion

MAX_STEPS = 6
# "the city of X", "the film X": the noun says what X is, it does not lead away from it.
_APPOSITION = set(
    "city state town village province county kingdom island republic university battle district "
    "region country film movie song album book novel series show game play band".split()
)
_EMPTY_HEADS = set(
    "name kind type sort part number amount one list member rest year date day time end beginning "
    "middle population half reason way birth death origin citizenship idea form".split()
)
_ATTACHED = {"prep", "poss", "relcl", "acl"}
_AUXILIARIES = {"aux", "auxpass"}
_WH = {"WDT", "WP", "WP$", "WRB"}
# Kinship that no document states as such, in terms of what documents state.
_KINSHIP = {
    "paternal grandfather": ("father", "father"),
    "paternal grandmother": ("mother", "father"),
    "maternal grandfather": ("father", "mother"),
    "maternal grandmother": ("mother", "mother"),
    "grandfather": ("father", "father"),
    "grandmother": ("mother", "mother"),
    "father-in-law": ("father", "spouse"),
    "mother-in-law": ("mother", "spouse"),
    "brother-in-law": ("brother", "spouse"),
    "sister-in-law": ("sister", "spouse"),
    "sibling-in-law": ("sibling", "spouse"),
    "child-in-law": ("spouse", "child"),
    "son-in-law": ("husband", "daughter"),
    "daughter-in-law": ("wife", "son"),
    "uncle": ("brother", "father"),
    "aunt": ("sister", "father"),
    "stepmother": ("wife", "father"),
    "stepfather": ("husband", "mother"),
}
_KIN = "|".join(sorted(_KINSHIP, key=len, reverse=True))
_KIN_OF = re.compile(rf"(?:the )?({_KIN}) of ")
_KIN_POSSESSIVE = re.compile(rf"(\w+)['’]s? ({_KIN})\b")
_DEGENERATE = re.compile(
    r"(?:who|what|when|where|which \w+) (?:is|was|are|were) #\d+\s*\??", re.IGNORECASE
)


def decompose(question: str) -> list[SubQuestion]:
    """Return the steps of a nested question; a single step where nothing is nested."""
    masked = Masked(_plain(question))
    steps: list[SubQuestion] = []
    text = _kinship(masked.text)
    # "When was the pianist who recorded X born?": the parser would give "born" to the clause.
    split = re.fullmatch(r"((?:When|Where|How|In \w+ \w+) (?:was|were|is|are) .+?) (\w+)\?", text)
    tail = split[2] if split and parser()(text)[-2].tag_ == "VBN" else ""
    if split and tail:
        text = f"{split[1]}?"
    while len(steps) < MAX_STEPS - 1:
        doc = parser()(text)
        found = _innermost(doc, masked)
        if found is None:
            break
        span, asked = found
        asked = masked.unmask(asked)
        steps.append(SubQuestion(text=asked, expects=expected_type(asked)))
        # A stand-in name for the answer: the parser knows names, not references.
        word = masked.add(f"#{len(steps)}")
        text = _spliced(doc, span, word)
    if tail:
        text = f"{text.rstrip('? ')} {tail}?"
    final = masked.unmask(text)
    if steps and _DEGENERATE.fullmatch(final):
        # "Where was the place of death of X?" asks nothing beyond its description.
        kind = expected_type(final)
        last = steps.pop()
        expects = last.expects if last.expects is not AnswerType.ANY else kind
        return [*steps, last.model_copy(update={"expects": expects})]
    steps.append(SubQuestion(text=final, expects=expected_type(final)))
    return steps


def _plain(question: str) -> str:
    """Drop what only wraps the question: "What is the name of the …"."""
    text = " ".join(question.split())
    return re.sub(r"^What (is|was) the name of (?=the |an? )", r"What \1 ", text)


def _kinship(text: str) -> str:
    def of(match: re.Match[str]) -> str:
        outer, inner = _KINSHIP[match[1]]
        return f"the {outer} of the {inner} of "

    def possessive(match: re.Match[str]) -> str:
        outer, inner = _KINSHIP[match[2]]
        return f"the {outer} of the {inner} of {match[1]}"

    return _KIN_OF.sub(of, _KIN_POSSESSIVE.sub(possessive, text))


def _innermost(doc: Any, masked: Masked) -> tuple[tuple[int, int], str] | None:
    """Return the token span of the innermost description and the question that resolves it."""
    found = []
    for token in doc:
        if token.pos_ not in {"NOUN", "PROPN"} or masked.is_title(token.text):
            continue
        if token.lemma_.lower() in _EMPTY_HEADS or not _is_inner(token):
            continue
        attached = [c for c in token.children if c.dep_ in _ATTACHED and _leads(c, masked, token)]
        if attached and _definite(token):
            edges = [t.i for t in token.subtree]
            found.append((max(edges) - min(edges), token, attached))
    if not found:
        return None
    _, head, attached = min(found, key=lambda row: (row[0], row[1].i))
    members = _members(head)
    return (members[0].i, members[-1].i + 1), _asked(doc, head, attached, members)


def _members(head: Any) -> list[Any]:
    """Return the tokens of the phrase, without punctuation at its ends."""
    tokens = [t for t in head.subtree if not (t.dep_ in {"cc", "conj"} and t.head.i == head.i)]
    conjoined = {t.i for c in head.children if c.dep_ == "conj" for t in c.subtree}
    tokens = [t for t in tokens if t.i not in conjoined]
    # A subtree may have gaps; the phrase is the run of tokens around its head.
    run = [head]
    by_index = {t.i: t for t in tokens}
    while run[-1].i + 1 in by_index:
        run.append(by_index[run[-1].i + 1])
    while run[0].i - 1 in by_index:
        run.insert(0, by_index[run[0].i - 1])
    while run and run[-1].is_punct:
        run.pop()
    return run


def _is_inner(token: Any) -> bool:
    """Tell a phrase inside the question from the one that is asked for."""
    if any(t.tag_ in _WH for t in token.children) or token.dep_ == "ROOT":
        return False
    # "Who is the director …": the subject or attribute of a bare "be" is what is asked for.
    verb = token.head
    if token.dep_ in {"attr", "nsubj"} and verb.lemma_ == "be" and verb.dep_ == "ROOT":
        complements = [c for c in verb.children if c.dep_ in {"attr", "nsubj", "acomp", "prep"}]
        if any(c.tag_ in _WH for c in complements):
            return False
        # "What nationality is the director …", "Where was the director …"
        return any(t.tag_ in _WH for t in token.doc if t.head.i != token.i)
    return True


def _definite(token: Any) -> bool:
    dets = [c for c in token.children if c.dep_ in {"det", "poss"}]
    if any(d.dep_ == "poss" for d in dets):
        return True
    if token.tag_ in {"NNS", "NNPS"}:
        return False
    if any(d.lower_ in {"a", "an", "any", "some", "each", "every", "no"} for d in dets):
        return any(c.dep_ in {"relcl", "acl"} for c in token.children)
    return bool(dets) or token.dep_ in {"pobj", "poss", "dobj", "nsubj", "nsubjpass"}


def _leads(attached: Any, masked: Masked, head: Any) -> bool:
    """Tell whether an attachment leads to a name, and so can be looked up."""
    if attached.dep_ == "prep":
        if attached.lower_ not in {"of", "from", "by", "for", "in", "at", "on", "behind", "to"}:
            return False
        if attached.lower_ == "of" and head.lemma_.lower() in _APPOSITION:
            return False
        if attached.lower_ in {"in", "at", "on", "to"} and noun_type(head.lemma_) is AnswerType.ANY:
            return False
    names = [t for t in attached.subtree if masked.is_title(t.text) or t.pos_ == "PROPN"]
    return bool(names)


def _asked(doc: Any, head: Any, attached: list[Any], members: list[Any]) -> str:
    who = "Who" if noun_type(head.lemma_) is AnswerType.PERSON else "What"
    phrase = doc[members[0].i : members[-1].i + 1].text
    clauses = [c for c in attached if c.dep_ in {"relcl", "acl"}]
    if len(attached) == 1 and clauses:
        asked = _from_clause(head, clauses[0], members, who)
        if asked:
            return asked
    verb = "was" if re.search(r"\b(?:was|were|did|had)\b|ed\b", phrase) else "is"
    return f"{who} {verb} {phrase}?"


def _noun(head: Any, clause: Any) -> str:
    """Return the head noun with its adjectives and compounds, without determiner and clause."""
    left = [t for c in head.lefts if c.dep_ not in {"det", "poss"} for t in c.subtree]
    return " ".join(t.text for t in [*left, head])


def _from_clause(head: Any, clause: Any, members: list[Any], who: str) -> str | None:
    among = {t.i for t in members}
    inside = [t for t in clause.subtree if t.i in among]
    if not inside:
        return None
    noun = _noun(head, clause)
    asked = "Who" if who == "Who" and noun == head.text else f"Which {noun}"
    if clause.dep_ == "acl":
        if clause.tag_ == "VBN":
            return f"{asked} was {_text(inside)}?"
        if clause.tag_ == "VBG":
            finite = _text([t for t in inside if t.i != clause.i])
            return f"{asked} is {clause.text} {finite}?"
        return None
    relative = [t for t in inside if t.tag_ in {"WDT", "WP", "WRB", "WP$"} or t.lower_ == "that"]
    pronoun = relative[0] if relative and relative[0].i <= clause.i else None
    if pronoun is not None and pronoun.tag_ == "WP$":
        return None
    subject = next((c for c in clause.children if c.dep_ in {"nsubj", "nsubjpass"}), None)
    if subject is not None and pronoun is not None and subject.i == pronoun.i:
        return f"{asked} {_text([t for t in inside if t.i != pronoun.i])}?"
    if subject is None:
        return None
    # The gap is an object or a place: invert, as a question does.
    where = pronoun is not None and (pronoun.lower_ == "where")
    opening = [t for t in inside if pronoun is not None and t.i < pronoun.i]
    preposition = f"{opening[0].text.capitalize()} " if opening else ""
    lead = (
        f"In which {noun}"
        if where
        else f"{preposition}{asked[0].lower() if preposition else asked[0]}{asked[1:]}"
    )
    skipped = {pronoun.i if pronoun is not None else -1, *(t.i for t in opening)}
    subject_tokens = [t for t in subject.subtree if t.i in among]
    skipped |= {t.i for t in subject_tokens}
    auxiliaries = [c for c in clause.children if c.dep_ in _AUXILIARIES and c.i in among]
    if auxiliaries:
        first = auxiliaries[0]
        rest = [t for t in inside if t.i not in skipped and t.i != first.i]
        return f"{lead} {first.text} {_text(subject_tokens)} {_text(rest)}?"
    if clause.lemma_ == "be":
        rest = [t for t in inside if t.i not in skipped and t.i != clause.i]
        return f"{lead} {clause.text} {_text(subject_tokens)} {_text(rest)}?".replace(" ?", "?")
    helper = "did" if clause.tag_ in {"VBD", "VBN"} else "does"
    rest_text = " ".join(
        clause.lemma_ if t.i == clause.i else t.text for t in inside if t.i not in skipped
    )
    return f"{lead} {helper} {_text(subject_tokens)} {rest_text}?"


def _text(tokens: list[Any]) -> str:
    return "".join(t.text_with_ws for t in tokens).strip(" ,")


def _spliced(doc: Any, span: tuple[int, int], word: str) -> str:
    before = doc[: span[0]].text_with_ws if span[0] else ""
    after = doc[span[1] :].text
    space = doc[span[1] - 1].whitespace_
    return f"{before}{word}{space}{after}"
