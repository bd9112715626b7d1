"""Yes and no."""

from __future__ import annotations

import re

_YES = re.compile(
    r"^(yes|yeah|yep|true|correct|affirmative|是|是的|对|对的|没错|正确|有|可以)(?![\w-])",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^(no|nope|false|incorrect|not|neither|否|不|不是|不是的|不对|没有|错误|无)(?![\w-])|^(不是|没有)",
    re.IGNORECASE,
)
_NUMERO = re.compile(r"^no\.?\s*\d|^no\.\s+\w", re.IGNORECASE)
"""“No. 5” is a number sign, and “no man's land” a name: only a bare or punctuated “no” denies."""


NEGATION = re.compile(
    r"\b(?:not(?! only\b)|never|no longer|neither|without|cannot)\b|n['’]t\b"
    r"|(?<!是)不是|不[在属屬都相]|不一[样樣]|并[非不没]|並[非不沒]|(?<!有)[没沒]有|从[未不没]|從[未不沒]|未曾",
    re.IGNORECASE,
)
"""A word that turns a statement into its opposite; 是不是 and 有没有 only ask."""


def parse_yes_no(text: str) -> bool | None:
    """Return what a yes/no answer says, or None where the text is none.

    Examples
    --------
    >>> parse_yes_no("Yes, both are."), parse_yes_no("不是"), parse_yes_no("No. 5")
    (True, False, None)
    >>> parse_yes_no("No Country for Old Men") is None
    True
    """
    stripped = text.strip().strip("\"'“”‘’").rstrip(".。!！").strip()
    if _NUMERO.match(stripped):
        return None
    head = re.split(r"[,;，；。.:：]", stripped, maxsplit=1)[0].strip()
    short = len(head.split()) <= 1 or head.lower() in {"not true", "not correct"}
    if not short:
        return None
    if _YES.match(head):
        return True
    return False if _NO.match(head) else None


def yes_no(value: bool, language: str = "en") -> str:
    """Return the word for a truth value: yes/no, or 是/否 where `language` is Chinese ("zh")."""
    if language.startswith("zh"):
        return "是" if value else "否"
    return "yes" if value else "no"
