"""The record of what a run came across: a dictionary, but for its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.errors import IndexWriteError
from retrievers.seen import Seen

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.lists(st.tuples(IDS, DIGESTS)), IDS)
def test_what_was_noted_is_found_again_and_nothing_else(
    pairs: list[tuple[str, str]], other: str
) -> None:
    wanted = dict(pairs)
    with Seen() as seen:
        for id_, digest in pairs:
            seen[id_] = digest

        assert {id_: seen[id_] for id_ in wanted} == wanted
        assert seen.get(other) == wanted.get(other)
        assert (other in seen) == (other in wanted)


def test_ids_that_the_key_makes_one_are_one() -> None:
    with Seen(str.lower) as seen:
        seen["A"] = "00"

        assert seen["a"] == "00"
        with pytest.raises(KeyError):
            seen["b"]


def test_full_disk_is_said_with_the_remedy() -> None:
    with Seen() as seen:
        seen._db.execute("PRAGMA max_page_count = 10")
        with pytest.raises(IndexWriteError, match=r"full.*free space"):
            for number in range(1000):
                seen[f"{number:0100}"] = "00" * 32
