"""The part of XLM-R's vocabulary that one language needs, as a tokenizer."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import jieba
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from agent.readers.han_folding import folded
from training.reader.packed import Packed

SPECIAL = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>"}
"""The special tokens by the names that the readers use, and by those of XLM-R."""
_HAN = re.compile(r"[\u3400-\u9fff]+")
_LATIN = re.compile("▁?[a-z]+")
_ALONE = re.compile(r"[0-9]+|▁|[ -~]")
_ENGLISH = re.compile(r"▁?(?:[A-Za-zÀ-ɏ']*|[0-9]{1,4}|[^\w\s▁]{1,3}|[^\W\d_])")
"""Latin letters, figures, marks and single letters of other scripts, with or without a space."""
ENGLISH_PIECES = 19_500
"""As many as 30 MB hold; 99.2 % of the pieces that the English corpora would be cut into."""
_NEVER = -100.0
"""The score of a special token: no text is cut so that one comes out."""


def _fits(piece: str) -> bool:
    """Return whether a piece can come out of folded text without hiding where a word ends.

    Of pieces longer than a character only words, figures and parts of Latin words are kept: the
    vocabulary's "年的" or "月10" would start in one answer and end in another.
    """
    if folded(piece) != piece or unicodedata.normalize("NFKC", piece) != piece:
        return False
    if len(piece) == 1 or _LATIN.fullmatch(piece) or _ALONE.fullmatch(piece):
        return True
    return bool(_HAN.fullmatch(piece)) and jieba.dt.FREQ.get(piece, 0) > 0


def english(packed: Packed, texts: Iterable[str]) -> list[int]:
    """Return the rows of the embeddings that are kept, the special tokens (`SPECIAL`) first.

    ASCII characters are kept all, of the other pieces those that `texts` use most.
    """
    special = _special(packed)
    fitting = [
        n for n, piece in enumerate(packed.pieces) if n not in special and _ENGLISH.fullmatch(piece)
    ]
    everything = special + fitting
    full = tokenizer(packed, everything)
    counted = Counter(
        everything[at]
        for encoding in full.encode_batch(list(texts), add_special_tokens=False)
        for at in encoding.ids
    )
    needed = [n for n in fitting if re.fullmatch("▁?[ -~]?", packed.pieces[n])]
    # Of pieces used as often the likelier one of the vocabulary: order and result are fixed.
    used = sorted(set(counted) - {*special, *needed}, key=lambda n: (-counted[n], n))
    return special + sorted([*needed, *used[: ENGLISH_PIECES - len(special) - len(needed)]])


def chinese(packed: Packed, texts: Iterable[str]) -> list[int]:
    """Return the rows of the embeddings that are kept, the special tokens (`SPECIAL`) first.

    Han characters, Chinese words, figures and ASCII are kept all, Latin and other pieces where
    `texts` use them.
    """
    jieba.initialize()
    special = _special(packed)
    fitting = [n for n, piece in enumerate(packed.pieces) if n not in special and _fits(piece)]
    everything = special + fitting
    full = tokenizer(packed, everything)
    used: set[int] = set()
    for text in texts:
        used.update(full.encode(folded(text), add_special_tokens=False).ids)
    return special + [
        n
        for at, n in enumerate(everything)
        if n not in special
        and (at in used or _ALONE.fullmatch(packed.pieces[n]) or _HAN.fullmatch(packed.pieces[n]))
    ]


def _special(packed: Packed) -> list[int]:
    number = {piece: n for n, piece in enumerate(packed.pieces)}
    return [number[name] for name in SPECIAL.values()]


def rows_of(packed: Packed, made: Tokenizer) -> list[int]:
    """Return the row of the embeddings that each token of a pruned tokenizer stands for."""
    number = {piece: n for n, piece in enumerate(packed.pieces)}
    tokens = [made.id_to_token(k) for k in range(made.get_vocab_size())]
    return [number[SPECIAL.get(token, token)] for token in tokens]


def tokenizer(packed: Packed, rows: Sequence[int]) -> Tokenizer:
    """Return the tokenizer of the chosen rows; token k stands for row `rows[k]`."""
    names = {xlmr: name for name, xlmr in SPECIAL.items()}
    pieces = [
        (names[piece], _NEVER)
        if (piece := packed.pieces[n]) in names
        else (piece, packed.scores[n])
        for n in rows
    ]
    made = Tokenizer(Unigram(pieces, unk_id=list(SPECIAL).index("[UNK]")))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    return made
