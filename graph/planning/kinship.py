"""Kinship that no document states as such, in terms of what documents do state."""

from __future__ import annotations

import re

# Kin to the readings of it, the likelier first: (outer relation, inner relation).
_READINGS = {
    "paternal grandfather": (("father", "father"),),
    "paternal grandmother": (("mother", "father"),),
    "maternal grandfather": (("father", "mother"),),
    "maternal grandmother": (("mother", "mother"),),
    "grandfather": (("father", "father"), ("father", "mother")),
    "grandmother": (("mother", "father"), ("mother", "mother")),
    "grandparent": (("father", "father"), ("father", "mother")),
    "grandchild": (("child", "child"),),
    "grandson": (("son", "son"), ("son", "daughter")),
    "granddaughter": (("daughter", "son"), ("daughter", "daughter")),
    "father-in-law": (("father", "spouse"),),
    "mother-in-law": (("mother", "spouse"),),
    "brother-in-law": (("brother", "spouse"), ("husband", "sister")),
    "sister-in-law": (("sister", "spouse"), ("wife", "brother")),
    "sibling-in-law": (("sibling", "spouse"), ("spouse", "sibling")),
    "child-in-law": (("spouse", "child"),),
    "son-in-law": (("husband", "daughter"),),
    "daughter-in-law": (("wife", "son"),),
    "uncle": (("brother", "father"), ("brother", "mother")),
    "aunt": (("sister", "father"), ("sister", "mother")),
    "nephew": (("son", "brother"), ("son", "sister")),
    "niece": (("daughter", "brother"), ("daughter", "sister")),
    "stepmother": (("wife", "father"),),
    "stepfather": (("husband", "mother"),),
}
_KIN = "|".join(sorted(_READINGS, key=len, reverse=True))
_OF = re.compile(rf"\b(?:the )?({_KIN}) of (?=the |[A-Z])")
_POSSESSIVE = re.compile(rf"(\w+)['’][sS]? ({_KIN})\b")


def readings(text: str) -> list[str]:
    """Return the text with its kinship spelt out, once a reading; the text itself without any.

    >>> readings("Who is the aunt of Ann?")
    ['Who is the sister of the father of Ann?', 'Who is the sister of the mother of Ann?']
    """
    match = _OF.search(text)
    if match is not None:
        kin, rest = match[1], ""
    else:
        match = _POSSESSIVE.search(text)
        if match is None:
            return [text]
        kin, rest = match[2], match[1]
    spelt = [f"the {outer} of the {inner} of {rest}" for outer, inner in _READINGS[kin]]
    return [text[: match.start()] + chain + text[match.end() :] for chain in spelt]
