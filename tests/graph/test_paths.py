"""Which path is walked next: what may be sought, what a failure suggests, and that it all ends."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.paths import (
    IN_DOUBT,
    REWORDED,
    RUNNER_UPS,
    UNSURE,
    alternatives,
    bridging,
    pick,
    promise,
    ready,
    upstream,
)
from graph.planning.substitute import fill
from graph.state import memory_key
from graph.types import (
    Bound,
    Candidate,
    Cluster,
    Failure,
    FailureReason,
    Operator,
    Outcome,
    Path,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
    Way,
)

# ── things to make plans, paths and results of ────────────────────────────────────────────────


def lookup(text: str) -> SubQuestion:
    return SubQuestion(text=text)


def operator(*arguments: int, labels: tuple[str, ...] = ()) -> SubQuestion:
    return SubQuestion(
        text="Which is first?",
        kind="operator",
        operator=Operator.EARLIER,
        arguments=arguments,
        labels=labels,
    )


def plan(*steps: SubQuestion | str, score: float = 0.8) -> Plan:
    taken = tuple(lookup(step) if isinstance(step, str) else step for step in steps)
    return Plan(steps=taken, planner="test", score=score)


def path(*, prior: float = 0.8, plan: int = 0, **bound: str) -> Path:
    """Return a path with answers bound: `_1="Ann"` binds step 1."""
    answers = {
        int(name[1:]): Bound(answer=answer, confidence=0.9, question=f"q{name[1:]}")
        for name, answer in bound.items()
    }
    return Path(plan=plan, origin="test", prior=prior, bound=answers)


def result(question: str, *answers: tuple[str, float]) -> StepResult:
    """Return a verdict over answers with their strengths, the strongest first."""
    clusters = tuple(
        Cluster(
            text=text,
            strength=strength,
            confidence=strength,
            votes=1,
            candidates=(
                Candidate(passage_id="p", text=text, start=0, end=len(text), score=1, no_answer=0),
            ),
        )
        for text, strength in answers
    )
    verdict = Verdict(answer=answers[0][0], confidence=0.5, margin=0.0, clusters=clusters)
    return StepResult(question=question, verdict=verdict)


def failed(left: Path, step: int, reason: FailureReason = FailureReason.NOTHING_READ) -> Outcome:
    return Outcome(path=left, failure=Failure(step=step, reason=reason, detail="no answer"))


COMPARISON = plan(
    "Who directed A?",
    "Who directed B?",
    "When was #1 born?",
    "When was #2 born?",
    operator(3, 4, labels=("A", "B")),
)

# ── upstream, ready ───────────────────────────────────────────────────────────────────────────


def test_a_step_depends_on_what_its_text_refers_to_and_on_what_that_depends_on() -> None:
    assert upstream(COMPARISON, 1) == set()
    assert upstream(COMPARISON, 4) == {2}
    assert upstream(COMPARISON, 5) == {1, 2, 3, 4}


def test_a_step_depends_on_the_references_in_its_labels() -> None:
    chosen = plan("Who directed A?", "When was A shot?", "When was B shot?", operator(2, 3))
    labelled = plan(
        "Who directed A?",
        "When was A shot?",
        "When was B shot?",
        operator(2, 3, labels=("#1", "Bo Ek")),
    )
    assert upstream(chosen, 4) == {2, 3}
    assert upstream(labelled, 4) == {1, 2, 3}


def test_independent_steps_are_ready_together() -> None:
    assert ready(COMPARISON, path()) == [1, 2]
    assert ready(COMPARISON, path(_1="Ann")) == [2, 3]
    assert ready(COMPARISON, path(_1="Ann", _2="Bo", _3="1898", _4="1947")) == [5]


@dataclass(frozen=True)
class Woven:
    """A plan with what each of its steps was made to need."""

    plan: Plan
    needs: dict[int, frozenset[int]]

    def closure(self) -> nx.DiGraph:
        graph: nx.DiGraph = nx.DiGraph()
        graph.add_nodes_from(self.needs)
        graph.add_edges_from((need, step) for step, needs in self.needs.items() for need in needs)
        return graph


@st.composite
def woven_plans(draw: st.DrawFn, most: int = 6) -> Woven:
    """Draw an acyclic plan whose steps refer back by text, by arguments or by labels."""
    steps, needs = [], {}
    for number in range(1, draw(st.integers(1, most)) + 1):
        earlier = draw(st.frozensets(st.integers(1, number - 1))) if number > 1 else frozenset()
        labelled = draw(st.frozensets(st.sampled_from(sorted(earlier)))) if earlier else frozenset()
        needs[number] = earlier
        if len(earlier - labelled) and draw(st.booleans()):
            labels = tuple(f"the maker of #{need}" for need in sorted(labelled))
            steps.append(operator(*sorted(earlier - labelled), labels=labels))
        else:
            named = " and ".join([f"X{number}", *(f"#{need}" for need in sorted(earlier))])
            steps.append(lookup(f"Who is the founder of {named}?"))
    return Woven(plan(*steps), needs)


def bind(path: Path, step: int) -> Path:
    answer = Bound(answer=f"a{step}", confidence=0.5, question=f"q{step}")
    return path.model_copy(update={"bound": {**path.bound, step: answer}})


@given(woven_plans())
def test_upstream_is_every_ancestor_and_nothing_else(woven: Woven) -> None:
    graph = woven.closure()
    for step in woven.needs:
        assert upstream(woven.plan, step) == nx.ancestors(graph, step)


@given(woven_plans(), st.data())
def test_ready_steps_are_unbound_and_all_they_need_is_bound(
    woven: Woven, data: st.DataObject
) -> None:
    bound = data.draw(st.frozensets(st.sampled_from(sorted(woven.needs))))
    current = path()
    for step in bound:
        current = bind(current, step)
    expected = [s for s, needs in woven.needs.items() if s not in bound and needs <= bound]
    assert ready(woven.plan, current) == expected


@given(woven_plans(), st.data())
def test_binding_what_is_ready_finishes_every_plan(woven: Woven, data: st.DataObject) -> None:
    current = path()
    for _ in woven.needs:
        now = ready(woven.plan, current)
        if not now:
            break
        current = bind(current, data.draw(st.sampled_from(now)))
    assert current.bound.keys() == woven.needs.keys()
    assert ready(woven.plan, current) == []


# ── alternatives ──────────────────────────────────────────────────────────────────────────────

CHAIN = plan("Name the maker of A.", "Name the home of #1.")


def test_a_solved_path_suggests_nothing() -> None:
    solved = Outcome(path=path(_1="Ann", _2="Rome"), answer="Rome", confidence=0.9)
    memory = {"q1": result("q1", ("Ann", 0.8), ("Bo", 0.6))}
    assert alternatives(solved, [CHAIN], memory) == []


def test_a_failed_step_suggests_the_runner_up_of_the_step_before() -> None:
    memory = {"q1": result("q1", ("Ann", 0.6), ("Bo", 0.3))}
    [other] = alternatives(failed(path(_1="Ann"), 2), [CHAIN], memory)
    assert other.bound[1].answer == "Bo"
    assert other.bound[1].cluster == 1
    assert other.bound[1].question == "q1"
    assert "Bo" in other.origin
    assert other.prior == pytest.approx(0.8 * other.bound[1].confidence)


@pytest.mark.parametrize(
    ("reason", "following", "believed"),
    [
        (FailureReason.NOTHING_READ, None, 0.3 / (1 - (1 - IN_DOUBT) * 0.6)),
        (FailureReason.NOTHING_RETRIEVED, None, 0.3 / (1 - (1 - IN_DOUBT) * 0.6)),
        (FailureReason.BUDGET, None, 0.3),
        (FailureReason.WEAK, UNSURE / 2, 0.3 / (1 - (1 - IN_DOUBT) * 0.6)),
        (FailureReason.WEAK, UNSURE * 2, 0.3),
    ],
)
def test_a_runner_up_is_likelier_where_nothing_sure_followed_from_the_first_answer(
    reason: FailureReason, following: float | None, believed: float
) -> None:
    memory = {"q1": result("q1", ("Ann", 0.6), ("Bo", 0.3))}
    walked = path(_1="Ann") if following is None else path(_1="Ann", _2="Rome")
    if following is not None:
        unsure = walked.bound[2].model_copy(update={"confidence": following})
        walked = walked.model_copy(update={"bound": {**walked.bound, 2: unsure}})
    [other] = alternatives(failed(walked, 2, reason), [CHAIN], memory)
    assert other.bound[1].confidence == pytest.approx(believed)


def test_an_answer_that_something_sure_followed_from_is_in_no_doubt() -> None:
    longer = plan("Who directed A?", "Who is the father of #1?", "When did #2 die?")
    memory = {f"q{n}": result(f"q{n}", ("first", 0.6), ("other", 0.3)) for n in (1, 2)}
    found = alternatives(failed(path(_1="first", _2="first"), 3), [longer], memory)
    believed = {n: b.confidence for p in found for n, b in p.bound.items() if b.cluster}
    assert believed == {1: 0.3, 2: pytest.approx(0.3 / (1 - (1 - IN_DOUBT) * 0.6))}


def test_a_second_runner_up_gains_from_those_alone_that_led_nowhere() -> None:
    memory = {"q1": result("q1", ("Ann", 0.5), ("Bo", 0.3), ("Cy", 0.1))}
    for confidence, doubted in ((0.3, 0.3), (0.5, 0.8)):  # as the vote had it, and once Ann failed
        bo = Bound(answer="Bo", confidence=confidence, question="q1", cluster=1)
        walked = path().model_copy(update={"bound": {1: bo}})
        [other] = alternatives(failed(walked, 2), [CHAIN], memory)
        believed = 0.1 / (1 - (1 - IN_DOUBT) * doubted)
        assert other.bound[1].confidence == pytest.approx(believed)


def test_a_comparison_that_fails_says_nothing_against_what_it_compared() -> None:
    memory = {f"q{n}": result(f"q{n}", ("first", 0.6), ("other", 0.3)) for n in range(1, 5)}
    walked = path(_1="first", _2="first", _3="first", _4="first")
    found = alternatives(failed(walked, 5, FailureReason.INCOMPARABLE), [COMPARISON], memory)
    assert {b.confidence for p in found for b in p.bound.values() if b.cluster} == {0.3}


def test_a_runner_up_drops_what_was_built_on_the_winner_and_keeps_the_rest() -> None:
    memory = {"q1": result("q1", ("Ann", 0.8), ("Bo", 0.6))}
    walked = path(_1="Ann", _2="Cy", _3="1898")
    found = alternatives(failed(walked, 5), [COMPARISON], memory)
    [other] = [p for p in found if p.bound[1].answer == "Bo"]
    assert set(other.bound) == {1, 2}
    assert other.bound[2].answer == "Cy"


def test_a_step_that_the_failed_one_does_not_depend_on_keeps_its_answer() -> None:
    memory = {
        "q1": result("q1", ("Ann", 0.8), ("Bo", 0.6)),
        "q2": result("q2", ("Cy", 0.8), ("Di", 0.6)),
    }
    found = alternatives(failed(path(_1="Ann", _2="Cy"), 3), [COMPARISON], memory)
    assert {p.bound[2].answer for p in found} == {"Cy"}
    assert "Bo" in {p.bound[1].answer for p in found}


def test_runner_ups_go_down_the_list_as_far_as_is_allowed() -> None:
    answers = [(f"answer {rank}", 0.9 - rank / 10) for rank in range(RUNNER_UPS + 2)]
    memory = {"q1": result("q1", *answers)}
    current, reached = path(_1=answers[0][0]), [answers[0][0]]
    while found := alternatives(failed(current, 2), [CHAIN], memory):
        [current] = found
        reached.append(current.bound[1].answer)
    assert reached == [text for text, _ in answers[: RUNNER_UPS + 1]]


def test_an_answer_without_any_support_is_no_runner_up() -> None:
    memory = {"q1": result("q1", ("Ann", 0.8), ("Bo", 0.0))}
    assert alternatives(failed(path(_1="Ann"), 2), [CHAIN], memory) == []


def test_a_weak_answer_suggests_the_runner_ups_of_all_lookups_before_it() -> None:
    memory = {f"q{n}": result(f"q{n}", ("winner", 0.8), (f"other {n}", 0.4)) for n in range(1, 5)}
    walked = path(_1="winner", _2="winner", _3="winner", _4="winner", _5="A")
    found = alternatives(failed(walked, 5, FailureReason.WEAK), [COMPARISON], memory)
    changed = {n for p in found for n, bound in p.bound.items() if bound.cluster == 1}
    assert changed == {1, 2, 3, 4}


def test_a_failed_lookup_is_asked_in_other_words_once() -> None:
    asked = plan("Who is the author of A?", "When was #1 born?")
    [reworded] = alternatives(failed(path(_1="Ann"), 2), [asked], {})
    assert reworded.wording == {2: "What is the date of birth of #1?"}
    assert reworded.wording[2] in reworded.origin
    assert reworded.bound[1].answer == "Ann"
    assert reworded.prior == pytest.approx(0.8 * 0.9 * REWORDED)
    assert alternatives(failed(reworded, 2), [asked], {}) == []


def test_rewording_one_step_keeps_the_wording_of_another() -> None:
    asked = plan("Who is the author of A?", "When was #1 born?")
    before = path(_1="Ann").model_copy(update={"wording": {1: "Who wrote A?"}})
    [reworded] = alternatives(failed(before, 2), [asked], {})
    assert set(reworded.wording) == {1, 2}


def test_a_runner_up_keeps_the_words_that_a_step_was_asked_in() -> None:
    memory = {"q1": result("q1", ("Ann", 0.8), ("Bo", 0.6))}
    asked = path(_1="Ann").model_copy(update={"wording": {2: "Name the house of #1."}})
    [other] = alternatives(failed(asked, 2), [CHAIN], memory)
    assert other.wording == {2: "Name the house of #1."}


def test_a_chinese_search_tells_in_chinese_why_it_opens_a_path() -> None:
    memory = {"q1": result("q1", ("波拉克", 0.6), ("诺瓦克", 0.3))}
    asked = plan("导演是谁？", "#1出生在哪里？")
    found = alternatives(failed(path(_1="波拉克"), 2), [asked], memory, language="zh")
    assert [(other.way, other.origin) for other in found] == [
        (Way.RUNNER_UP, "第1步的次选答案“诺瓦克”"),
        (Way.REWORDING, "第2步换一种问法：“#1的出生地是什么地方？”"),
    ]


def test_an_operator_has_no_other_words() -> None:
    compared = plan("Name the year of A.", "Name the year of B.", operator(1, 2))
    tie = failed(path(_1="1898", _2="1898"), 3, FailureReason.TIE)
    assert alternatives(tie, [compared], {}) == []


# ── promise ───────────────────────────────────────────────────────────────────────────────────


def test_a_path_is_worth_its_plan_s_score_times_the_confidence_of_all_that_is_bound() -> None:
    scored = COMPARISON.model_copy(update={"score": 0.5})
    assert promise(scored, path()) == pytest.approx(0.5)
    assert promise(scored, path(_1="Ann", _2="Bo")) == pytest.approx(0.5 * 0.9 * 0.9)


def test_other_words_lower_a_path_until_they_are_answered() -> None:
    asked = path(_1="Ann").model_copy(update={"wording": {2: "Name the house of #1."}})
    assert promise(CHAIN, asked) == pytest.approx(0.8 * 0.9 * REWORDED)
    assert promise(CHAIN, bind(asked, 2)) == pytest.approx(0.8 * 0.9 * 0.5)


@given(woven_plans(), st.data())
def test_a_path_never_gets_more_promising_by_an_answer(woven: Woven, data: st.DataObject) -> None:
    current = path()
    while now := ready(woven.plan, current):
        following = bind(current, data.draw(st.sampled_from(now)))
        assert promise(woven.plan, following) <= promise(woven.plan, current)
        current = following


# ── pick ────────────────────────────────────────────────────────────────────────────────

few_paths = st.lists(
    st.builds(
        Path,
        plan=st.integers(0, 1),
        origin=st.sampled_from(["plan", "runner-up"]),
        prior=st.floats(0, 1),
        bound=st.dictionaries(
            st.integers(1, 2),
            st.builds(
                Bound,
                answer=st.sampled_from(["Ann", "Bo"]),
                confidence=st.floats(0, 1),
                question=st.just("q"),
            ),
            max_size=2,
        ),
        wording=st.dictionaries(st.just(1), st.just("Who wrote A?"), max_size=1),
    ),
    max_size=8,
)


@given(few_paths, few_paths)
def test_the_most_promising_path_that_was_not_walked_is_picked(
    frontier: list[Path], walked: list[Path]
) -> None:
    known = {p.signature() for p in walked}
    fresh = [p for p in frontier if p.signature() not in known]
    picked, remaining = pick(frontier, walked)
    if picked is None:
        assert fresh == []
        assert remaining == []
    else:
        assert picked in fresh
        assert picked.prior == max(p.prior for p in fresh)
        kept = [picked.signature(), *(p.signature() for p in remaining)]
        assert len(kept) == len(set(kept))
        assert set(kept) == {p.signature() for p in fresh}


@given(few_paths)
def test_picking_until_nothing_is_left_walks_each_path_once(frontier: list[Path]) -> None:
    walked: list[Path] = []
    remaining: Sequence[Path] = frontier
    for _ in range(len(frontier) + 1):
        picked, remaining = pick([*remaining, *frontier], walked)
        if picked is None:
            break
        walked.append(picked)
    signatures = [p.signature() for p in walked]
    assert len(signatures) == len(set(signatures))
    assert set(signatures) == {p.signature() for p in frontier}


def test_how_sure_an_answer_is_does_not_make_it_another_path() -> None:
    one = path(_1="Ann", prior=0.9)
    same = one.model_copy(update={"prior": 0.3, "origin": "another reason"})
    assert pick([same], [one]) == (None, [])


# ── the search as a whole ─────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=60)
@given(woven_plans(most=3), st.integers(min_value=0, max_value=2**32))
def test_a_search_that_never_finds_a_sure_answer_walks_no_path_twice_and_ends(
    woven: Woven, seed: int
) -> None:
    """Each sub-question has up to four answers or fails, by chance; every answer is weak."""
    memory: dict[str, StepResult] = {}
    steps = woven.plan.steps

    def sought(question: str) -> StepResult:
        found = zlib.crc32(f"{seed} {question}".encode()) % 5
        answers = [(f"{question[:20]} {rank}", 0.9 - rank / 5) for rank in range(found)]
        if answers:
            return result(question, *answers)
        failure = Failure(step=1, reason=FailureReason.NOTHING_READ, detail="no answer")
        return StepResult(question=question, failure=failure)

    def walk(current: Path) -> Outcome:
        while now := ready(woven.plan, current):
            for number in now:
                answers = {n: b.answer for n, b in current.bound.items()}
                text = fill(current.wording.get(number, steps[number - 1].text), answers)
                if steps[number - 1].kind == "operator":
                    given = Bound(answer=f"o{number}", confidence=1.0, question=f"#{number}")
                else:
                    known = memory.setdefault(memory_key(text), sought(text))
                    if known.verdict is None:
                        return failed(current, number)
                    given = Bound(
                        answer=known.verdict.answer, confidence=0.1, question=memory_key(text)
                    )
                current = current.model_copy(update={"bound": {**current.bound, number: given}})
        return failed(current, len(steps), FailureReason.WEAK)

    # A step is unbound or has one of its answers, in one of two wordings.
    bound = (1 + 2 * (RUNNER_UPS + 1)) ** len(steps)
    walked: list[Path] = []
    current, frontier = pick([path()], walked)
    while current is not None and len(walked) <= bound:
        walked.append(current)
        suggested = alternatives(walk(current), [woven.plan], memory)
        current, frontier = pick([*frontier, *suggested], walked)
    assert current is None
    assert frontier == []
    signatures = [p.signature() for p in walked]
    assert len(signatures) == len(set(signatures))


def test_answers_that_another_lookup_asks_about_are_bridging() -> None:
    compared = Plan(
        steps=(lookup("Who made A?"), lookup("When was #1 born?"), lookup("When?"), operator(2, 3)),
        planner="test",
        score=0.5,
    )
    answers = {1: "Ann Lee", 2: "1898", 3: "1947"}
    bound = {n: Bound(answer=answer, confidence=0.5, question="q") for n, answer in answers.items()}
    path = Path(plan=0, origin="plan 1", prior=0.5, bound=bound)
    failed = Outcome(path=path.model_copy(update={"bound": {}}))
    assert bridging([Outcome(path=path), failed, Outcome(path=path)], [compared]) == ["Ann Lee"]
    assert bridging([], [compared]) == []
