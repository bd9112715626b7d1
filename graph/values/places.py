"""Countries: names, demonyms and Chinese forms that mean the same country."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files

from graph.values.letters import lowered

_TABLE: dict[str, dict[str, list[str]]] = json.loads(
    (files("graph.values") / "countries.json").read_text(encoding="utf-8")
)
_NAMES: dict[str, str] = {}
_EXACT: dict[str, str] = {}
"""Forms too short or too common to be found inside a text in any other case (“US”)."""
_CHINESE: dict[str, str] = {}
for _country, _forms in _TABLE.items():
    for _form in [_country, *_forms.get("names", []), *_forms.get("demonyms", [])]:
        (_EXACT if _form.isupper() else _NAMES).setdefault(
            _form if _form.isupper() else _form.lower(), _country
        )
    for _form in _forms.get("zh", []):
        _CHINESE.setdefault(_form, _country)
_PART_OF = {c: f["part_of"][0] for c, f in _TABLE.items() if "part_of" in f}


def _alternatives(forms: dict[str, str]) -> str:
    return "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))


_FIND = re.compile(
    rf"(?<!\w)(?:(?P<exact>{_alternatives(_EXACT)})|(?i:(?P<name>{_alternatives(_NAMES)})))(?!\w)"
    rf"|(?P<zh>{_alternatives(_CHINESE)})"
)


def _country_of(match: re.Match[str]) -> str:
    if match["exact"]:
        return _EXACT[match["exact"]]
    return _NAMES[lowered(match["name"])] if match["name"] else _CHINESE[match["zh"]]


@lru_cache(maxsize=8192)
def countries_in(text: str) -> tuple[str, ...]:
    """Return the countries that `text` names by name or demonym, in order, each once.

    Examples
    --------
    >>> countries_in("a British-American film director"), countries_in("美国导演")
    (('United Kingdom', 'United States'), ('United States',))
    """
    found = _FIND.finditer(text.replace("’", "'"))
    # Only names with a capital: a pole and a turkey are no nationals.
    return tuple(dict.fromkeys(_country_of(m) for m in found if m["zh"] or m[0][0].isupper()))


@lru_cache(maxsize=8192)
def parse_country(text: str) -> str | None:
    """Return the country that `text` is a name or demonym of, and nothing else, or None."""
    stripped = re.sub(r"^the\s+", "", text.strip(" 。,，"), flags=re.IGNORECASE)
    stripped = re.sub(r"(?<=[\u4e00-\u9fff])(?:人|籍|国籍|裔)$", "", stripped)
    match = _FIND.fullmatch(stripped) or _FIND.fullmatch(stripped.rstrip("."))
    return _country_of(match) if match else None


def is_demonym(text: str) -> bool:
    """Return whether `text` names a country by its people: “Russian”, and not “Russia”."""
    country = parse_country(text)
    demonyms = _TABLE[country].get("demonyms", []) if country else []
    return text.strip(" .").casefold() in {form.casefold() for form in demonyms}


def is_country(text: str) -> bool:
    """Return whether `text` is the name of a country and nothing else: “Russia”, not “Russian”."""
    return parse_country(text) is not None and not is_demonym(text)


def shared_countries(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """Return the countries in both; England and Scotland are also parts of the United Kingdom."""
    wider = [{*group, *(_PART_OF[c] for c in group if c in _PART_OF)} for group in (a, b)]
    return tuple(sorted((set(a) & wider[1]) | (set(b) & wider[0])))
