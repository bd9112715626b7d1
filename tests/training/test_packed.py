"""Reading four-bit weights, and the part of the vocabulary that each reader keeps."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from agent.readers.encoder_reader import CHINESE, ENGLISH, Layout
from training.reader import vocabulary
from training.reader.packed import Packed, Sizes, read_packed
from training.reader.vocabulary import SPECIAL, chinese, english, rows_of, tokenizer

HIDDEN = 32


def packed_file(path: Path, pieces: list[str], rows: np.ndarray, scale: float) -> None:
    """Write a model of one matrix and one vector in the packed form."""
    blob = b"".join(piece.encode() for piece in pieces)
    borders = np.cumsum([0, *(len(piece.encode()) for piece in pieces)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 1, 64, len(pieces), 8, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    head += borders.tobytes() + np.arange(len(pieces), dtype="<f4").tobytes() + blob
    head += struct.pack("<iI", 1, 5) + b"12345"  # normalised characters, not read
    quantized = b"".join(
        np.float16(scale).tobytes()
        + bytes(low | high << 4 for low, high in zip(row[:16], row[16:], strict=True))
        for row in (rows + 8).astype(int).tolist()
    )
    bias = np.full(HIDDEN, 0.5, dtype="<f4").tobytes()
    names = (b"emb.word", b"emb.ln.b")
    at = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in names)
    directory = struct.pack("<i", len(names))
    for name, kind, count, data in zip(
        names, (1, 0), (rows.size, HIDDEN), (quantized, bias), strict=True
    ):
        directory += struct.pack(f"<H{len(name)}sBIQQ", len(name), name, kind, count, at, len(data))
        at += len(data)
    path.write_bytes(head + directory + quantized + bias)


def test_four_bit_blocks_become_the_weights_they_stand_for(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).integers(-8, 8, (4, HIDDEN))
    packed_file(tmp_path / "model.bin", ["<s>", "<pad>", "</s>", "桥"], rows, scale=0.25)
    packed = read_packed(tmp_path / "model.bin")
    assert packed.pieces == ["<s>", "<pad>", "</s>", "桥"]
    assert packed.scores == [0, 1, 2, 3]
    assert packed.sizes.inner == 64
    assert np.array_equal(packed.tensors["emb.word"], rows * np.float32(0.25))
    assert np.array_equal(packed.tensors["emb.ln.b"], np.full(HIDDEN, 0.5, np.float32))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="not a packed E5 model"):
        read_packed(tmp_path / "model.bin")


PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    *"桥橋年月的1▁a",
    "年的",
    "月1",
    "大桥",
    "▁bridge",
    "▁Brücke",
]


@pytest.fixture
def packed() -> Packed:
    sizes = Sizes(HIDDEN, 1, 1, 64, len(PIECES), 8, 2, 1e-12)
    return Packed(sizes, PIECES, [-1.0] * len(PIECES), {})


def test_the_vocabulary_keeps_what_folded_chinese_is_made_of(packed: Packed) -> None:
    kept = [PIECES[row] for row in chinese(packed, ["大橋"])]
    assert kept[:4] == ["<pad>", "<s>", "</s>", "<unk>"]
    assert {"桥", "年", "大桥", "1", "a"} <= set(kept)
    # Traditional, across words, and Latin that no text uses.
    assert not {"橋", "年的", "月1", "▁bridge", "▁Brücke"} & set(kept)
    assert "▁bridge" in [PIECES[row] for row in chinese(packed, ["Bridge"])]


def test_a_tokenizer_tells_the_rows_it_was_made_of(packed: Packed) -> None:
    rows = chinese(packed, [])
    made = tokenizer(packed, rows)
    assert rows_of(packed, made) == rows


def test_the_english_vocabulary_keeps_what_texts_use_most(
    packed: Packed, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a bridge", "Brücke", "Brücke", "桥1"]
    assert "▁Brücke" in [PIECES[row] for row in english(packed, texts)]
    # Room for one piece besides the special tokens and ASCII: "▁", "1" and "a".
    monkeypatch.setattr(vocabulary, "ENGLISH_PIECES", 4 + 3 + 1)
    kept = [PIECES[row] for row in english(packed, texts)]
    assert kept[:4] == ["<pad>", "<s>", "</s>", "<unk>"]
    assert sorted(kept[4:]) == sorted(["▁", "1", "a", "▁Brücke"])


@pytest.mark.parametrize("layout", [ENGLISH, CHINESE])
def test_no_text_gives_the_special_tokens_of_the_tokenizers_that_ship(layout: Layout) -> None:
    made = Tokenizer.from_file(str(layout.tokenizer))
    special = {made.token_to_id(name) for name in SPECIAL if name != "[UNK]"}
    text = layout.folded("[CLS]桥[SEP]</s><s><pad>[PAD]")
    assert not special & set(made.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize("text", ["Zoë's café — naïve №5", "Ｆｕｌｌ width", "A  b\nc ½ ﬁre"])
def test_english_tokens_know_where_in_the_text_they_stand(text: str) -> None:
    made = Tokenizer.from_file(str(ENGLISH.tokenizer))
    offsets = made.encode(text, add_special_tokens=False).offsets
    covered = {n for start, end in offsets for n in range(start, end)}
    assert covered >= {n for n, character in enumerate(text) if not character.isspace()}
