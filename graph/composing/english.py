"""English statements: a question and its answer as one sentence, by moving the question's words.

    Who directed X? + Polák                  Polák directed X
    When was X born? + 1929                  X was born in 1929
    Which team did X play for? + Ajax        X played for Ajax
    X is located in what state? + Utah       X is located in Utah
    Who is older, X or Y? + Y                Y is older
    Are X and Y both films? + no             No, X and Y are not both films

The parser tells the subject and where the answer belongs. Nothing is said but the words of the
question (its verb in the form of its helper), the answer, and those of `ADDED`; where the parse is
not understood, there is no statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from graph.composing.answers import prepositions, reasons, values, ways
from graph.composing.truth import affirmed
from graph.composing.verbs import past, third_person
from graph.composing.words import (
    ADDED,
    AUXILIARY,
    BE,
    DO,
    HERE,
    SUBJECT,
    Asked,
    agreeing,
    inflected,
    subject_after,
    text_of,
)
from graph.planning.comparison import named_choice
from graph.planning.language import asks_here, noun_type, parser
from graph.planning.masking import Masked
from graph.planning.nested import PROPERTIES
from graph.types import AnswerType
from graph.values import parse_yes_no

_VAGUE = {"way", "sense", "manner", "extent", "respect"}
"""What is asked for with these is said in an adverb as often as in a noun."""
_LEADS = re.compile(
    r"(?:in|on|at|as|by|for|from|with|to|of|during|after|before|since|until|under|among|within|"
    r"according|following|besides|between|out)\b",
    re.IGNORECASE,
)
_ASKED_AFTER = re.compile(r"^(\w+ )(wh(?:at|ich|om|ose))\b")
_SENTENCES = re.compile(r"[^\W\d_]{3}[.!?]\s+[A-Z]|\n")
_SHORT_BE = re.compile(r"^(who|what|when|where|how)['’]s\b", re.IGNORECASE)
# "the director of film X": a noun that says what a title is wants its article.
_BARE_CLASS = re.compile(
    r"\b(of|by|in|from|for|with) (?=(?:film|movie|song|album|novel|book|single|band) [A-Z])"
)


def statements(question: str, answer: str) -> list[str]:
    """Return sentences that give a question's answer, the likeliest first, without a full stop.

    The answer stands in each as it is, but for a capital where it begins the sentence and its own
    full stop. There is none for a question that is not understood.

    Examples
    --------
    >>> statements("When was Jindřich Polák born?", "5 May 1925")
    ['Jindřich Polák was born on 5 May 1925']
    >>> statements("Which film did Jindřich Polák direct?", "Ikarie XB-1")
    ['Jindřich Polák directed Ikarie XB-1']
    """
    answer = re.sub(r"(?<=[a-z]{4})\.$", "", answer.strip())
    if HERE in question or not answer or _SENTENCES.search(answer):
        return []
    truth = parse_yes_no(answer)
    choice = named_choice(question) if truth is None else None
    if choice is not None:
        if _name(answer) not in map(_name, choice.options):
            return []
        question = choice.asked
    masked = Masked(_plain(question))
    text = masked.text.rstrip("?!. ")
    doc = parser()(text)
    if len(doc) < 2 or len(list(doc.sents)) > 1:
        return []
    if (doc[0].lower_ in AUXILIARY) != (truth is not None):
        return []
    if truth is not None:
        found = affirmed(text, doc, masked, truth)
    else:
        found = list(_told(doc, answer))
        # "The older is X" is no answer to which of two is older.
        found = [said for said in found if said.startswith(HERE)] if choice is not None else found
    known = _forms(question, doc)
    unmasked = [masked.unmask(_tidy(said)) for said in found]
    sound = [said.replace(HERE, answer) for said in unmasked if _words(said) <= known]
    return list(dict.fromkeys(said[:1].upper() + said[1:] for said in sound))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _forms(question: str, doc: Any) -> set[str]:
    """Return all words that a statement may hold: a last look that no strange one slipped in."""
    words = _words(question)
    lemmas = {token.lemma_.casefold() for token in doc}
    formed = {form(word) for word in words for form in (past, third_person)}
    return words | lemmas | formed | ADDED | {"s"}


def _name(text: str) -> str:
    return text.casefold().strip().removeprefix("the ")


def _plain(question: str) -> str:
    """Return the question as titles are masked best in it, and with the article it lacks."""
    question = re.sub(r"\?[\"”]\s*$", "?", " ".join(question.split()))
    question = _SHORT_BE.sub(r"\1 is", _BARE_CLASS.sub(r"\1 the ", question))
    if _LEADS.match(question):
        asked = _ASKED_AFTER.sub(lambda m: m[1] + m[2].capitalize(), question)
        return asked if asked != question else question[:1].lower() + question[1:]
    return question


def _tidy(text: str) -> str:
    return re.sub(r"\s+([,;:.]|['’]s\b)", r"\1", " ".join(text.split())).strip(" ,;:")


def _told(doc: Any, answer: str) -> Iterator[str]:
    words = [token for token in doc if asks_here(token)]
    root = next(iter(doc.sents)).root
    if not words:
        return
    # "When it rains, what …": the second one asks.
    word = next((token for token in words[1:] if doc[token.i - 1].text == ","), words[0])
    after = doc[word.i + 1] if word.i + 1 < len(doc) else word
    verb = next((token for token in doc[word.i + 1 :] if _leads(token, root)), None)
    if any(_leads(token, root) for token in doc[: word.i]) or verb is None:
        yield from _in_place(doc, word, answer)
        return
    if word.tag_ == "WP" and after.lower_ in BE and verb.i != after.i:
        root = verb = after  # the parser took the clause of a noun for the sentence
    elif after.lower_ in AUXILIARY and after.head.i == root.i:
        verb = after
    begin, preposition = word.i, ""
    if begin and doc[begin - 1].pos_ == "ADP":
        begin, preposition = begin - 1, doc[begin - 1].lower_
    lead = list(doc[:begin])
    if lead and lead[-1].text != "," and not _LEADS.match(lead[0].text):
        return
    asked = Asked(doc, word, _head(word, verb.i), begin, verb.i, preposition)
    for said in _stated(doc, root, verb, asked, answer):
        yield text_of(lead) + said


def _leads(token: Any, root: Any) -> bool:
    """Tell the verb of the main clause, or a helper of it."""
    return token.i == root.i or (token.head.i == root.i and token.dep_ in {"aux", "auxpass"})


_INSIDE = {"det", "poss", "advmod", "amod", "nummod", "compound", "nmod", "quantmod", "dep"}


def _head(word: Any, end: int) -> Any:
    """Return what a question word asks about: "which city", "how many people", "how tall"."""
    head = word
    while head.i < head.head.i < end and head.dep_ in _INSIDE:
        head = head.head
    return head


def _stated(doc: Any, root: Any, verb: Any, asked: Asked, answer: str) -> Iterator[str]:
    """Yield the statements of a question whose question word stands before its verb."""
    copula = verb.i == root.i and verb.lower_ in BE
    if copula and asked.is_word and asked.word.tag_ == "WP":
        yield from _named(list(doc[verb.i + 1 :]), verb, asked)
        return
    top, subject, rest = subject_after(doc, verb.i)
    seen = verb.lower_ not in DO or asked.preposition or any(t.tag_ == "VB" for t in rest)
    if not seen and (unseen := _unseen_verb(doc, verb)):
        top, subject, rest = unseen
        root = rest[0]
    if not subject:
        yield from _subject_asked(doc, root, verb, asked, answer)
        return
    if copula and not rest and asked.word.tag_ == "WRB":
        # "When were the churches | destroyed in Warsaw?" is taken for one noun phrase as well.
        cut = next((n for n, t in enumerate(subject) if n and _ends_as_verb(t, doc)), len(subject))
        subject, rest = subject[:cut], subject[cut:]
    said = text_of(subject)
    if verb.lower_ in DO:
        action = next((token for token in rest if token.i == root.i), None)
        if action is None:
            return
        root, rest = action, inflected(rest, action, verb.lower_)
    elif verb.lower_ in AUXILIARY:
        said = f"{said} {verb.lower_}"
    else:
        return
    yield from _placed(root, asked, top, said, rest, answer, copula=copula)


def _unseen_verb(doc: Any, verb: Any) -> tuple[Any, list[Any], list[Any]] | None:
    """Return subject and rest where the parser took the verb for a noun or an adjective.

    "What does the law | mandate?", "Which film did X | direct in 1963?", "Where did the director
    of X | study?".
    """
    after = list(doc[verb.i + 1 :])
    plain = {"DET", "ADJ", "NOUN", "PROPN", "PART", "ADP", "NUM", "PRON"}
    for n, token in enumerate(after[1:], 1):
        if after[n - 1].pos_ not in plain:
            return None
        if token.tag_ == "VB" or _could_be_verb(after, n):
            return after[n - 1], after[:n], after[n:]
    return None


def _could_be_verb(words: Sequence[Any], place: int) -> bool:
    """Tell whether a word may be a verb: a small one behind a noun, and leading to none itself."""
    word, before = words[place], words[place - 1]
    follows = words[place + 1] if place + 1 < len(words) else None
    # "this American businessman, music publisher": a list goes on, of nouns.
    leads = follows is not None and (
        follows.pos_ in {"NOUN", "PROPN", "ADJ", "PUNCT"} or follows.lower_ == "of"
    )
    placed = before.pos_ in {"NOUN", "PROPN", "PRON"}
    return bool(word.is_lower and word.pos_ in {"NOUN", "ADJ", "VERB"} and placed and not leads)


def _ends_as_verb(token: Any, doc: Any) -> bool:
    return bool(token.tag_ == "VBN" and token.dep_ == "acl" and token.right_edge.i == len(doc) - 1)


def _subject_asked(doc: Any, root: Any, verb: Any, asked: Asked, answer: str) -> Iterator[str]:
    """Yield the statements of "Who directed X?", where the answer is the subject."""
    around = {root.i, verb.i}
    phrase = [token for token in doc[asked.begin : asked.end] if token.head.i in around]
    inside = [token for token in phrase if token.dep_ in SUBJECT]
    rest = list(doc[verb.i :])
    if not inside and asked.word.tag_ != "WRB" and verb.i == root.i:
        inside = [token for token in phrase if token.i == asked.head.i]
    if not inside:
        return
    top = inside[-1]
    begin = top.left_edge.i
    if begin > asked.head.i and not (asked.is_word and begin == asked.word.i + 1):
        if any(token.lower_ in AUXILIARY for token in doc[asked.head.i : begin]):
            return
        # "Which award the director of X received": the order is that of a statement already.
        short = Asked(doc, asked.word, asked.head, asked.begin, begin, asked.preposition)
        subject = list(doc[begin : verb.i])
        yield from _placed(root, short, top, text_of(subject), rest, answer, copula=False)
        return
    if asked.preposition or stranded(rest) is not None:
        return
    if verb.lower_ in DO and not (asked.is_word and verb.i == root.i):
        return
    named = len(rest) > 1 and rest[1].pos_ in {"PROPN", "DET", "PRON"}
    if verb.i == root.i and verb.lower_ in BE and named and asked.head.lemma_ in PROPERTIES:
        # The parser takes the name for what the nationality is.
        yield from _of_kind(asked, f"{text_of(rest[1:]).strip()} {verb.lower_}", answer)
        return
    there = len(rest) > 1 and rest[1].lower_ == "there"
    for value in values(asked, answer, copula=False):
        if there:
            yield f"there {verb.lower_} {value} {text_of(rest[2:])}"
        else:
            yield f"{value} {text_of(agreeing(rest, answer))}"


# ── "Who is X?" ───────────────────────────────────────────────────────────────────────────────


def _named(rest: list[Any], verb: Any, asked: Asked) -> Iterator[str]:
    """Yield the statements of "Who is X?": "X is …" and "… is X"."""
    if not rest or asked.preposition:
        return
    be = verb.lower_
    split = _participle(rest)
    if split is not None:
        subject, action, after = rest[:split], rest[split], rest[split + 1 :]
        if action.tag_ == "VBG":
            yield f"{text_of(subject)} {be} {action.text} {HERE} {text_of(after)}"
        else:
            after = after[:-1] if after and after[-1].lower_ == "do" else after
            yield f"{text_of(subject)} {be} {text_of([action, *after])} {HERE}"
        return
    last = rest[-1]
    if len(rest) > 1 and last.dep_ == "prep" and last.pos_ == "ADP":
        # "What was X the secretary of?": the parser joins the two.
        joined = next((t.left_edge.i - rest[0].i for t in rest[1:] if t.dep_ == "appos"), 0)
        split = joined or len(rest) - 1
        yield f"{text_of(rest[:split])} {be} {text_of(rest[split:])} {HERE}"
        return
    described = rest[0].lower_ in {"a", "an", "one", "some"} or not _is_phrase(rest, verb)
    if not described:
        yield f"{text_of(rest)} {be} {HERE}"
    if asked.word.lower_ == "who" or described:
        yield f"{HERE} {be} {text_of(rest)}"


def _participle(rest: Sequence[Any]) -> int | None:
    """Return the place of the verb that the parser took for a part of its subject.

    "What is the section of X | called?", "What were cilia | used for?", "What was X | wearing in
    space?".
    """
    for place, token in enumerate(rest[1:], 1):
        if token.dep_ not in {"acl", "ROOT", "attr", "advcl"} or token.head.i >= token.i:
            continue
        after = rest[place + 1 :]
        kinds = [t.pos_ for t in after]
        if token.tag_ in {"VBN", "VBD"} and kinds in ([], ["ADP"], ["PART", "VERB"]):
            return place
        objects = {"dobj", "dative", "attr", "ccomp", "xcomp"}
        if token.tag_ == "VBG" and not objects & {child.dep_ for child in token.children}:
            return place
    return None


def _is_phrase(rest: Sequence[Any], verb: Any) -> bool:
    """Tell whether the words after "is" are one noun phrase, which can stand before it."""
    tops = [token for token in rest if token.head.i <= verb.i and not token.is_punct]
    tops = [token for token in rest if token.i == verb.i] or tops
    return len(tops) == 1 and tops[0].pos_ in {"NOUN", "PROPN", "NUM"}


# ── the answer behind the verb ────────────────────────────────────────────────────────────────


def _placed(
    root: Any,
    asked: Asked,
    top: Any,
    said: str,
    rest: Sequence[Any],
    answer: str,
    *,
    copula: bool,
) -> Iterator[str]:
    """Yield the statements of a subject (with its helper) and what is said of it."""
    word = asked.word.lower_
    left = stranded(rest) if not asked.preposition else None
    if asked.head.lemma_ in _VAGUE:
        return
    if left is not None:
        value = next(iter(values(asked, answer, copula=False)), HERE)
        yield f"{said} {_with(rest, left, value)}"
    elif word == "why":
        yield from (f"{said} {text_of(rest)} {link}{HERE}" for link in reasons(answer))
    elif word == "how" and asked.is_word:
        yield from (f"{said} {text_of(rest)} {link}{HERE}" for link in ways(answer))
    elif word in {"when", "where"} or asked.preposition or (asked.adverbial and word != "how"):
        bare = top if not rest else None
        moving = bool(rest) and root.lemma_ in {"go", "move", "travel", "emigrate", "return"}
        for preposition in prepositions(asked, answer, bare=bare, moving=moving):
            yield f"{said} {text_of(rest)} {preposition}{HERE}"
    elif copula and (rest or asked.is_word) and word != "how":
        return
    elif copula and word != "how":
        yield from _of_kind(asked, said, answer)
    else:
        at = root.i if copula else _governor(asked, rest, root)
        for value in values(asked, answer, copula=copula):
            yield (
                f"{said} {value} {text_of(rest)}" if copula else f"{said} {_with(rest, at, value)}"
            )


def _of_kind(asked: Asked, said: str, answer: str) -> Iterator[str]:
    """Yield the statements of "What nationality is X?"."""
    if len(asked.after) > 2:
        return
    subject, _, be = said.rpartition(" ")
    yield f"the {asked.noun} of {subject} {be} {HERE}"
    if answer[:1].islower():
        yield f"{said} {'an' if answer[:1] in 'aeiou' else 'a'} {HERE}"
    if noun_type(asked.head.lemma_) is not AnswerType.PLACE:
        yield f"{said} {HERE}"


def _governor(asked: Asked, rest: Sequence[Any], root: Any) -> int:
    """Return the place of the verb whose object is asked for, or of its particle."""
    places = {token.i for token in rest}
    verb = asked.head.head.i if asked.head.head.i in places else root.i
    particles = [t.i for t in rest if t.dep_ == "prt" and t.head.i == verb]
    return int(max([verb, *particles]))


def _with(words: Sequence[Any], at: int, text: str) -> str:
    """Return the words with a text behind the one at a place, or at the end where none is there."""
    place = next((n for n, token in enumerate(words, 1) if token.i == at), len(words))
    return f"{text_of(words[:place]).rstrip()} {text} {text_of(words[place:])}"


def stranded(rest: Sequence[Any]) -> int | None:
    """Return the place of a preposition that has lost its noun to the front: "play for"."""
    for token in rest:
        if token.pos_ == "ADP" and token.dep_ in {"prep", "agent"}:
            # "stand for, regarding X": a second preposition is no noun of the first.
            follows = any(
                child.i > token.i and child.lower_ not in {"regarding", "concerning", "according"}
                for child in token.children
            )
            if not follows:
                return int(token.i)
    return None


# ── the question word in its place ────────────────────────────────────────────────────────────


def _in_place(doc: Any, word: Any, answer: str) -> Iterator[str]:
    """Yield "X is located in …" for "X is located in what state?"."""
    chunk = next((c for c in doc.noun_chunks if c.start <= word.i < c.end), None)
    end = max(_head(word, len(doc)).i, word.i, chunk.end - 1 if chunk is not None else 0) + 1
    head = doc[end - 1]
    if doc[end:].text.startswith("of "):
        end = next((c.end for c in doc.noun_chunks if c.start == end + 1), len(doc))
    before, after = list(doc[: word.i]), list(doc[end:])
    if not before or head.lemma_ in _VAGUE or before[-1].lemma_ == "do":
        return
    last = before[-1].lower_
    if last in {"in", "on", "at"} and noun_type(head.lemma_) is AnswerType.DATE:
        asked = Asked(doc, word, head, word.i - 1, end, last)
        for preposition in prepositions(asked, answer, bare=None, moving=False):
            yield f"{text_of(before[:-1])} {preposition}{HERE} {text_of(after)}"
        return
    if last == answer.split()[0].lower():
        before = before[:-1]
    copula = any(token.lower_ in BE for token in before)
    for value in values(Asked(doc, word, head, word.i, end, ""), answer, copula=copula):
        yield f"{text_of(before)} {value} {text_of(after)}"
