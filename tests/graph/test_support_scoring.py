"""How sure a path is, from how sure its lookups are, with the curves that ship."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.support import scoring

SURE = st.lists(st.floats(0.01, 1), min_size=1, max_size=5)
BY = st.sampled_from(["learned", "weighted"])


@given(SURE, BY)
def test_how_sure_a_path_is_does_not_hang_on_the_order_of_its_lookups(
    sure: list[float], by: scoring.Name
) -> None:
    there, back = scoring.along(sure, by), scoring.along(sure[::-1], by)
    assert there == pytest.approx(back)
    assert 0 <= there <= 1


@given(SURE, BY, st.integers(0, 4), st.floats(0, 1))
def test_a_path_is_no_less_sure_for_a_surer_lookup(
    sure: list[float], by: scoring.Name, number: int, share: float
) -> None:
    number %= len(sure)
    surer = [*sure]
    surer[number] += share * (1 - sure[number])
    assert scoring.along(surer, by) >= scoring.along(sure, by) - 1e-12


@given(st.floats(0, 1), BY)
def test_a_path_of_one_lookup_is_as_sure_as_that_and_one_of_facts_is_certain(
    sure: float, by: scoring.Name
) -> None:
    assert scoring.along([sure], by) == sure
    assert scoring.along([1.0, 1.0], by) == 1.0
    assert scoring.along([], by) == 1.0


def test_the_curves_that_ship_know_paths() -> None:
    assert scoring.calibration().paths.keys() == {"learned", "weighted"}
