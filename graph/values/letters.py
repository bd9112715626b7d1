"""Letters as the patterns of this package see them."""

from __future__ import annotations

_ALIKE = str.maketrans({"İ": "i", "ı": "i", "ſ": "s", "\N{KELVIN SIGN}": "k"})


def lowered(text: str) -> str:
    """Return `text` in lower case, by which to look up what a pattern found in any case.

    `re.IGNORECASE` takes four more characters for letters of ASCII, which `str.lower` does not.

    Examples
    --------
    >>> lowered("İran"), lowered("Auguſt")
    ('iran', 'august')
    """
    return text.translate(_ALIKE).lower()
