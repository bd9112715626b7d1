"""The ways in which a relation is asked for: whole questions, fragments and "X >> relation"."""

from __future__ import annotations

import random

WORDINGS: dict[str, tuple[str, ...]] = {
    "director": (
        "Who is the director of {x}?",
        "Who directed {x}?",
        "Who is the director of film {x}?",
        "{x} >> director",
        "director of {x}",
        "Which filmmaker made {x}?",
    ),
    "country of citizenship": (
        "What is the nationality of {x}?",
        "What nationality is {x}?",
        "{x} >> country of citizenship",
        "Which country is {x} from?",
        "What country does {x} come from?",
        "nationality of {x}",
    ),
    "country": (
        "Which country is {x} in?",
        "{x} >> country",
        "In which country is {x} located?",
        "What country is {x} from?",
    ),
    "country of origin": (
        "What is the country of origin of {x}?",
        "{x} >> country of origin",
        "Which country is the film {x} from?",
        "Which country did {x} originate in?",
    ),
    "date of birth": (
        "When was {x} born?",
        "What is the date of birth of {x}?",
        "{x} >> date of birth",
        "What is {x}'s date of birth?",
        "In what year was {x} born?",
        "birth date of {x}",
    ),
    "date of death": (
        "When did {x} die?",
        "What is the date of death of {x}?",
        "{x} >> date of death",
        "What year did {x} die?",
        "When was the death of {x}?",
    ),
    "place of birth": (
        "Where was {x} born?",
        "What is the place of birth of {x}?",
        "{x} >> place of birth",
        "What is the birthplace of {x}?",
        "In what city was {x} born?",
        "The birthplace of {x} was where?",
    ),
    "place of death": (
        "Where did {x} die?",
        "What is the place of death of {x}?",
        "{x} >> place of death",
        "In what city did {x} die?",
    ),
    "father": (
        "Who is the father of {x}?",
        "Who is {x}'s father?",
        "{x} >> father",
        "Who was the father of {x}?",
    ),
    "parent": ("Who is a parent of {x}?", "Whose child is {x}?", "{x} >> parent"),
    "mother": ("Who is the mother of {x}?", "Who is {x}'s mother?", "{x} >> mother"),
    "child": ("Who is the child of {x}?", "{x} >> child", "Who is {x}'s child?"),
    "sibling": ("Who is the sibling of {x}?", "{x} >> sibling"),
    "spouse": (
        "Who is the spouse of {x}?",
        "Who is {x} married to?",
        "{x} >> spouse",
        "Who did {x} marry?",
        "Who was the husband or wife of {x}?",
    ),
    "publication date": (
        "When was {x} released?",
        "When did {x} come out?",
        "{x} >> publication date",
        "What is the release date of {x}?",
        "When was {x} first released?",
    ),
    "performer": (
        "Who performed {x}?",
        "Who is the performer of {x}?",
        "Who sang {x}?",
        "{x} >> performer",
        "Which artist recorded {x}?",
    ),
    "composer": (
        "Who composed {x}?",
        "Who is the composer of {x}?",
        "{x} >> composer",
        "Who wrote the music of {x}?",
    ),
    "author": ("Who wrote {x}?", "Who is the author of {x}?", "{x} >> author"),
    "screenwriter": ("Who wrote {x}?", "{x} >> screenwriter", "Who wrote the script of {x}?"),
    "producer": ("Who produced {x}?", "{x} >> producer", "Who was the producer of {x}?"),
    "cast member": (
        "Who starred in {x}?",
        "Who stars in {x}?",
        "{x} >> cast member",
        "Which actor plays in {x}?",
    ),
    "location": (
        "Where is {x} located?",
        "{x} >> location",
        "{x} >> located in the administrative territorial entity",
        "In what place is {x}?",
        "Where is {x}?",
    ),
    "county": (
        "What county is {x} in?",
        "{x} >> located in the administrative territorial entity",
        "Which county is {x} located in?",
    ),
    "headquarters": (
        "Where is {x} headquartered?",
        "{x} >> headquarters location",
        "Where are the headquarters of {x}?",
        "What city is {x} based in?",
    ),
    "population": (
        "What is the population of {x}?",
        "How many people live in {x}?",
        "{x} >> population",
        "What was the population of {x}?",
    ),
    "inception": (
        "When was {x} founded?",
        "When was {x} established?",
        "{x} >> inception",
        "What year was {x} formed?",
    ),
    "founded by": ("Who founded {x}?", "{x} >> founded by", "Who established {x}?"),
    "publisher": ("Who published {x}?", "{x} >> publisher", "Which publisher released {x}?"),
    "record label": (
        "What record label released {x}?",
        "{x} >> record label",
        "On which label was {x} released?",
        "What label is {x} on?",
    ),
    "developer": ("Who developed {x}?", "{x} >> developer"),
    "manufacturer": ("Who makes {x}?", "{x} >> manufacturer", "Which company built {x}?"),
    "educated at": (
        "Where did {x} study?",
        "Which school did {x} attend?",
        "{x} >> educated at",
        "What university did {x} go to?",
    ),
    "award received": ("What award did {x} receive?", "{x} >> award received"),
    "cause of death": ("How did {x} die?", "What is the cause of death of {x}?"),
    "capital of": ("What is {x} the capital of?", "{x} >> capital of"),
    "named after": ("Who was {x} named after?", "{x} >> named after", "What is {x} named for?"),
    "instance of": ("What is {x}?", "{x} >> instance of", "What kind of thing is {x}?"),
    "occupation": (
        "What is {x}'s occupation?",
        "What did {x} do for a living?",
        "{x} >> occupation",
        "What profession did {x} have?",
    ),
    "member of": ("What is {x} a member of?", "{x} >> member of", "What group is {x} in?"),
    "member of sports team": (
        "Which team does {x} play for?",
        "{x} >> member of sports team",
        "What team is {x} on?",
    ),
    "part of": ("What is {x} part of?", "{x} >> part of"),
    "series": ("What series is {x} from?", "{x} >> series", "Which series does {x} belong to?"),
    "position held": ("What position did {x} hold?", "{x} >> position held"),
    "creator": ("Who created {x}?", "{x} >> creator"),
    "based on": ("What is {x} based on?", "{x} >> based on"),
    "river mouth": ("What does {x} flow into?", "{x} >> mouth of the watercourse"),
    "owned by": ("Who owns {x}?", "{x} >> owned by", "Which company owns {x}?"),
    "original network": ("What network aired {x}?", "{x} >> original network"),
}
"""Relation (Wikidata's name where there is one) to its wordings; `{x}` is the subject."""


def worded(relation: str, subject: str, chance: random.Random, most: int = 1) -> list[str]:
    """Return up to `most` wordings of `relation` about `subject`, some in lower case."""
    known = WORDINGS.get(relation, ())
    chosen = chance.sample(known, min(most, len(known)))
    asked = [wording.replace("{x}", subject) for wording in chosen]
    return [q.lower().rstrip("?") if chance.random() < 0.12 else q for q in asked]
