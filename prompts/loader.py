"""Loading prompt templates: files named `name_language.txt`, filled by `string.Template`."""

from __future__ import annotations

import functools
from pathlib import Path
from string import Template


@functools.cache
def _template(name: str, language: str) -> Template:
    return Template(Path(__file__).with_name(f"{name}_{language}.txt").read_text(encoding="utf-8"))


def render(name: str, language: str, **values: str) -> str:
    """Return the template filled with `values`, without a final line break.

    Raises
    ------
    KeyError
        Where the template names a value that was not given.
    FileNotFoundError
        Where there is no such template.
    """
    return _template(name, language).substitute(values).rstrip("\n")
