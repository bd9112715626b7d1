"""The vote over paths: what adds up, what contradicts, and what is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.support import across_paths, contradictions
from graph.types import Bound, Failure, FailureReason, Outcome, Path, Plan, SubQuestion

PLANS = [
    Plan(steps=(SubQuestion(text=f"Who made {name}?"),), planner="test", score=score)
    for name, score in (("A", 0.9), ("B", 0.9), ("C", 0.3))
]


def solved(answer: str, confidence: float, *, plan: int = 0, lookup: str = "") -> Outcome:
    asked = lookup or f"who made {plan}"
    bound = {1: Bound(answer=answer, confidence=confidence, question=asked)}
    path = Path(plan=plan, origin="test", prior=0.5, bound=bound)
    return Outcome(path=path, answer=answer, confidence=confidence)


FAILED = Outcome(
    path=Path(plan=0, origin="test", prior=0.5),
    failure=Failure(step=1, reason=FailureReason.NOTHING_READ, detail="nothing"),
)


def test_without_a_solved_path_there_is_no_consensus() -> None:
    assert across_paths([], PLANS) is None
    assert across_paths([FAILED], PLANS) is None


def test_a_single_path_keeps_its_confidence() -> None:
    found = across_paths([FAILED, solved("Ann", 0.42, plan=2)], PLANS)
    assert found is not None
    assert found.outcome.confidence == pytest.approx(0.42)
    assert found.rivals == ()


def test_two_paths_to_one_answer_add_up_where_they_looked_up_different_things() -> None:
    apart = across_paths([solved("Ann Lee", 0.4), solved("Lee, Ann", 0.5, plan=1)], PLANS)
    assert apart is not None
    assert apart.paths == 2
    assert apart.outcome.confidence == pytest.approx(0.7)
    shared = across_paths(
        [solved("Ann", 0.4, lookup="x"), solved("Ann", 0.5, plan=1, lookup="x")], PLANS
    )
    assert shared is not None
    assert shared.paths == 1
    assert shared.outcome.confidence == pytest.approx(0.5)


def test_many_weak_paths_overturn_one_that_is_stronger() -> None:
    weak = [solved("Ann", 0.3, lookup=f"q{n}") for n in range(4)]
    found = across_paths([solved("Bo", 0.5, plan=1), *weak], PLANS)
    assert found is not None
    assert found.outcome.answer == "Ann"
    assert found.rivals[0][0] == "Bo"


def test_the_answer_comes_from_the_path_that_is_likeliest_right_with_its_plan() -> None:
    found = across_paths([FAILED, solved("Bo", 0.9, plan=2), solved("Ann", 0.4)], PLANS)
    assert found is not None
    assert found.outcome.answer == "Ann"


def test_a_contradiction_lowers_the_confidence_and_is_told() -> None:
    alone = across_paths([solved("Ann", 0.6)], PLANS)
    against = across_paths([solved("Ann", 0.6), solved("Bo", 0.4, plan=1)], PLANS)
    assert alone is not None
    assert against is not None
    assert against.outcome.confidence < alone.outcome.confidence
    [english] = contradictions(against, "en")
    assert english.startswith("Another path found “Bo” (0.")
    assert "Bo" in contradictions(against, "zh")[0]
    assert contradictions(alone, "en") == []


def test_an_answer_that_is_out_of_the_question_is_not_told_of() -> None:
    found = across_paths([solved("Ann", 0.95), solved("Bo", 0.01, plan=1)], PLANS)
    assert found is not None
    assert contradictions(found, "en") == []


outcomes = st.lists(
    st.builds(
        solved,
        st.sampled_from(["Ann", "Bo", "Cy"]),
        st.floats(0, 1),
        plan=st.integers(0, 2),
        lookup=st.sampled_from(["", "x", "y", "z"]),
    ),
    min_size=1,
    max_size=6,
)


@given(outcomes)
def test_probabilities_of_answers_that_differ_sum_to_one_at_most(paths: list[Outcome]) -> None:
    found = across_paths(paths, PLANS)
    assert found is not None
    total = found.outcome.confidence + sum(p for _, p in found.rivals)
    assert 0 <= total <= 1 + 1e-9
    assert all(p <= found.outcome.confidence + 1e-9 for _, p in found.rivals)


@given(outcomes)
def test_the_order_of_paths_matters_to_no_probability(paths: list[Outcome]) -> None:
    one, other = across_paths(paths, PLANS), across_paths(paths[::-1], PLANS)
    assert one is not None
    assert other is not None
    assert one.outcome.confidence == pytest.approx(other.outcome.confidence)
    assert sorted(p for _, p in one.rivals) == pytest.approx(sorted(p for _, p in other.rivals))


@given(outcomes, st.floats(0, 1))
def test_one_more_path_to_an_answer_never_lowers_it(paths: list[Outcome], more: float) -> None:
    found = across_paths(paths, PLANS)
    assert found is not None
    winner = found.outcome
    assert winner.answer is not None
    extra = solved(winner.answer, more, plan=winner.path.plan, lookup="another lookup")
    after = across_paths([*paths, extra], PLANS)
    assert after is not None
    assert after.outcome.confidence >= winner.confidence - 1e-9
