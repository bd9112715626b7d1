"""Bytes in, whole characters out, nothing past a stop text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.streamed_text import StreamedText

TEXT = st.text(alphabet="ab中国🐼\n", max_size=30)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(
    TEXT,
    st.lists(st.integers(0, 200)),
    st.lists(st.text(alphabet="ab中\n", min_size=1, max_size=3), max_size=3),
)
def test_however_the_bytes_are_cut_the_text_ends_at_the_first_stop(
    text: str, places: list[int], stops: list[str]
) -> None:
    streamed = StreamedText(stops)
    told = []
    for piece in cut(text.encode(), places):
        told.append(streamed.add(piece))
        if streamed.stopped:
            break
    told.append(streamed.end())
    whole = "".join(told)
    # Where stop texts overlap, the one that is complete first ends the text.
    assert not any(stop in whole for stop in stops)
    assert text.startswith(whole)
    assert streamed.stopped == any(stop in text for stop in stops)
    if streamed.stopped:
        assert any(text[len(whole) :].startswith(stop) for stop in stops)
    else:
        assert whole == text


@given(TEXT, st.lists(st.integers(0, 200)))
def test_no_piece_holds_a_broken_character(text: str, places: list[int]) -> None:
    streamed = StreamedText()
    assert "\ufffd" not in "".join(streamed.add(piece) for piece in cut(text.encode(), places))


def test_a_character_cut_off_at_the_end_is_dropped() -> None:
    streamed = StreamedText()
    assert streamed.add("中国".encode()[:4]) + streamed.end() == "中"
