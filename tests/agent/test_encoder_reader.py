"""The English reader, with the weights that ship."""

from __future__ import annotations

import hashlib
import shutil
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.errors import ModelFileError
from agent.readers.encoder_reader import CHINESE, ENGLISH, Card, EncoderReader, Layout
from graph.types import Candidate
from retrievers.passage import Passage

READER = EncoderReader(ENGLISH)

BRIDGE = Passage(
    id="bridge",
    title="Ravensbourne Bridge",
    text="Ravensbourne Bridge is a stone arch bridge in Lewisham. It was designed by the Scottish "
    "engineer Margaret Ellery and opened on 12 May 1871. The bridge cost 11,900 pounds.",
)
FILM = Passage(
    id="film",
    title="The Glass Orchard (film)",
    text="The Glass Orchard is a 1962 Italian drama film directed by Piero Vannucci (born 3 June "
    "1921 in Lucca). It stars Anna Ferri.",
)
FERN = Passage(
    id="fern",
    title="Osmunda lancea",
    text="Osmunda lancea is a fern that grows along streams. Its fronds are narrow and glossy.",
)


def best(question: str, passage: Passage) -> Candidate:
    return READER.read(question, [passage], per_passage=1)[0]


@pytest.mark.parametrize(
    ("question", "passage", "answer"),
    [
        ("Who designed Ravensbourne Bridge?", BRIDGE, "Margaret Ellery"),
        ("When was Ravensbourne Bridge opened?", BRIDGE, "12 May 1871"),
        ("Who directed The Glass Orchard?", FILM, "Piero Vannucci"),
        ("The Glass Orchard >> director", FILM, "Piero Vannucci"),
        ("when was piero vannucci born", FILM, "3 June 1921"),
    ],
)
def test_the_answer_is_copied_out_of_the_passage(
    question: str, passage: Passage, answer: str
) -> None:
    candidate = best(question, passage)
    assert answer in candidate.text
    assert len(candidate.text) <= len(answer) + 24


def test_a_number_is_not_cut_at_its_comma() -> None:
    assert "11,900" in best("How much did Ravensbourne Bridge cost?", BRIDGE).text


def test_spans_are_characters_of_the_text_and_never_of_the_title() -> None:
    for candidate in READER.read("Which bridge is in Lewisham?", [BRIDGE], per_passage=8):
        assert BRIDGE.text[candidate.start : candidate.end] == candidate.text


def test_candidates_of_a_passage_do_not_overlap_and_come_best_first() -> None:
    found = READER.read("Who made The Glass Orchard?", [FILM], per_passage=3)
    assert len(found) == 3
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert all(a.end <= b.start or b.end <= a.start for a, b in combinations(found, 2))


def test_candidates_keep_the_order_of_the_passages() -> None:
    found = READER.read("Who directed The Glass Orchard?", [FERN, FILM, BRIDGE], per_passage=2)
    assert [c.passage_id for c in found] == ["fern"] * 2 + ["film"] * 2 + ["bridge"] * 2


def test_a_passage_about_something_else_is_said_to_hold_no_answer() -> None:
    question = "Who directed The Glass Orchard?"
    right, wrong = best(question, FILM).no_answer, best(question, FERN).no_answer
    assert right < 0.5 < wrong


def test_the_end_of_a_long_passage_is_read_too() -> None:
    filler = "The valley has many farms and quiet lanes between them. " * 60
    text = f"{filler}Its observatory was founded by Ludmila Horvat in 1904."
    passage = Passage(id="long", title="Sava valley", text=text)
    candidate = best("Who founded the observatory of the Sava valley?", passage)
    assert candidate.text == "Ludmila Horvat"
    assert candidate.start > len(filler)


def test_nothing_is_read_from_nothing() -> None:
    assert READER.read("Who?", []) == []
    assert READER.read("Who?", [Passage(id="marks", text=" ?! ")]) == []


def _in_a_word(char: str) -> bool:
    """A Chinese or Japanese character is a word of its own."""
    return char.isalnum() and not unicodedata.name(char, "").startswith(
        ("CJK", "HIRAGANA", "KATAKANA")
    )


@settings(max_examples=40, deadline=None)
@given(
    question=st.text(max_size=80),
    texts=st.lists(st.text(min_size=1, max_size=160), min_size=1, max_size=3),
)
@example(question="0", texts=["0\x0c["])
def test_any_text_gives_trimmed_spans_of_whole_words(question: str, texts: list[str]) -> None:
    passages = [Passage(id=str(n), text=text) for n, text in enumerate(texts)]
    for c in READER.read(question, passages):
        text = texts[int(c.passage_id)]
        assert text[c.start : c.end] == c.text == c.text.strip()
        assert not (c.start and _in_a_word(text[c.start - 1]) and _in_a_word(c.text[0]))
        assert not (_in_a_word(text[c.end : c.end + 1]) and _in_a_word(c.text[-1]))


def test_threads_share_a_reader_that_was_not_yet_loaded() -> None:
    reader = EncoderReader(ENGLISH)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: reader.read("Who directed it?", [FILM]), range(4)))
    assert found == [found[0]] * 4


def copied(layout: Layout, folder: Path) -> Layout:
    weights = folder / layout.weights.name
    shutil.copy(layout.weights, weights)
    shutil.copy(layout.weights.with_suffix(".json"), weights.with_suffix(".json"))
    return layout._replace(weights=weights)


@pytest.mark.parametrize("layout", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_weights_that_ship_are_under_thirty_megabytes_and_those_of_their_card(
    layout: Layout,
) -> None:
    content = layout.weights.read_bytes()
    card = Card.model_validate_json(layout.weights.with_suffix(".json").read_bytes())
    assert hashlib.sha256(content).hexdigest() == card.sha256
    assert len(content) < 30e6


@pytest.mark.parametrize("layout", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_weights_that_were_changed_are_refused(layout: Layout, tmp_path: Path) -> None:
    layout = copied(layout, tmp_path)
    weights = layout.weights
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelFileError, match="not those that their card names"):
        EncoderReader(layout).read("Who?", [FILM])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere\.onnx cannot be read"):
        EncoderReader(ENGLISH._replace(weights=tmp_path / "nowhere.onnx")).read("Who?", [FILM])


def test_a_damaged_card_is_named(tmp_path: Path) -> None:
    layout = copied(ENGLISH, tmp_path)
    layout.weights.with_suffix(".json").write_text('{"sha256": 3}', encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"reader-en.json is damaged"):
        EncoderReader(layout).read("Who?", [FILM])
