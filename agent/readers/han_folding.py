"""One script and one width for Chinese text, character by character, so that offsets stay."""

from __future__ import annotations

import functools
import json
from pathlib import Path

TABLE = Path(__file__).with_name("simplified-zh.json")


@functools.cache
def _table() -> dict[int, str]:
    pairs = json.loads(TABLE.read_text(encoding="utf-8"))
    folding = {ord(a): b for a, b in zip(pairs["traditional"], pairs["simplified"], strict=True)}
    folding.update({code: chr(code - 0xFEE0).lower() for code in range(0xFF10, 0xFF5B)})
    # Full-width clause marks are kept: only they tell a clause from a decimal comma.
    for mark in "：；＜＝＞？":
        folding.pop(ord(mark), None)
    folding.update({code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)})
    folding[0x3000] = " "
    return folding


def folded(text: str) -> str:
    """Return the text in simplified characters, lower case and half width; of the same length.

    Characters are folded one at a time (OpenCC's single-character table), without its phrases:
    that is enough to look words up, and `folded(text)[a:b]` stands for `text[a:b]`.

    Examples
    --------
    >>> folded("梵語於１９９８年，ＮＢＡ")
    '梵语于1998年，nba'
    """
    return text.translate(_table())
