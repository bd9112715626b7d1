"""The support vote: what counts as a vote, and what never changes a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.types import AnswerType, Candidate, FailureReason
from graph.vote import UNFIT, fitness, independent_groups, vote
from retrievers.passage import Hit, Passage

QUESTION = "Who directed the film Ikarie XB-1?"
# Sentences with next to nothing in common, so that none is taken for a copy of another.
FRAMES = [
    "The picture was directed by {} and shot in Prague during one wet spring.",
    "Critics praised {} for a cold, elegant vision of deep space travel.",
    "{} had studied at the academy before turning to science fiction cinema.",
    "An archive lists {} as the sole director; the score is by Zdeněk Liška.",
    "In an interview {} recalled how Ikarie XB-1 was made on a small budget.",
    "Festival programmes from Trieste name {} next to the golden asteroid prize.",
]


def hit(number: int, text: str, *, score: float = 1.0, source: str = "") -> Hit:
    passage = Passage(id=f"p{number}", title=f"Title {number}", text=text, source=source)
    return Hit(passage=passage, score=score)


def candidate(found: Hit, text: str, *, score: float = 0.6, no_answer: float = 0.2) -> Candidate:
    start = found.passage.text.index(text)
    return Candidate(
        passage_id=found.passage.id,
        text=text,
        start=start,
        end=start + len(text),
        score=score,
        no_answer=no_answer,
    )


def case(answers: list[tuple[str, float]]) -> tuple[list[Hit], list[Candidate]]:
    hits = [hit(i, FRAMES[i].format(text)) for i, (text, _) in enumerate(answers)]
    read = [candidate(h, text, score=score) for h, (text, score) in zip(hits, answers, strict=True)]
    return hits, read


def test_many_weak_passages_outvote_one_strong() -> None:
    hits, read = case(
        [("Jan Novák", 0.7), ("Jindřich Polák", 0.5), ("Jindřich Polák", 0.5), ("Polák", 0.4)]
    )
    verdict = vote(QUESTION, hits, read).verdict
    assert verdict is not None
    assert verdict.answer == "Jindřich Polák"
    assert verdict.clusters[0].votes >= 3
    assert verdict.clusters[1].text == "Jan Novák"


def test_verbatim_copies_have_one_vote_together() -> None:
    wrong = "The film Ikarie XB-1 was directed by Jan Novák in the year 1963 in Barrandov, it says."
    hits = [hit(i, wrong) for i in range(10)]
    hits += [hit(10 + i, FRAMES[i].format("Jindřich Polák")) for i in range(2)]
    read = [candidate(h, "Jan Novák") for h in hits[:10]]
    read += [candidate(h, "Jindřich Polák") for h in hits[10:]]
    verdict = vote(QUESTION, hits, read).verdict
    assert verdict is not None
    assert verdict.answer == "Jindřich Polák"


def test_passages_of_one_source_have_one_vote_together() -> None:
    hits = [hit(i, FRAMES[i].format("Jan Novák"), source="gossip.example") for i in range(4)]
    hits += [hit(4 + i, FRAMES[4 + i].format("Jindřich Polák")) for i in range(2)]
    read = [candidate(h, "Jan Novák") for h in hits[:4]]
    read += [candidate(h, "Jindřich Polák") for h in hits[4:]]
    verdict = vote(QUESTION, hits, read).verdict
    assert verdict is not None
    assert verdict.answer == "Jindřich Polák"


def test_a_word_that_many_passages_hold_but_none_answers_with_is_no_answer() -> None:
    hits = [hit(i, f"{frame.format('Polák')} A film.") for i, frame in enumerate(FRAMES)]
    read = [candidate(hits[0], "Polák", score=0.4), candidate(hits[1], "film", score=0.05)]
    verdict = vote(QUESTION, hits, read).verdict
    assert verdict is not None
    assert [cluster.text for cluster in verdict.clusters] == ["Polák", "film"]
    assert verdict.clusters[1].strength < 0.1


@pytest.mark.parametrize(
    ("text", "expects", "fits"),
    [
        ("Jindřich Polák", AnswerType.PERSON, True),
        ("Scottish", AnswerType.PERSON, False),
        ("12 May 1871", AnswerType.PERSON, False),
        ("12 May 1871", AnswerType.DATE, True),
        ("Prague", AnswerType.DATE, False),
        ("the capital", AnswerType.PLACE, False),
        ("1984", AnswerType.WORK, True),
        ("in", AnswerType.ANY, False),
        ("It", AnswerType.WORK, True),
        ("Ikarie XB-1", AnswerType.ANY, False),
    ],
)
def test_a_candidate_fits_what_is_asked(text: str, expects: AnswerType, fits: bool) -> None:
    assert fitness(text, QUESTION, expects) == (1.0 if fits else UNFIT)


@pytest.mark.parametrize(
    ("question", "text", "fits"),
    [
        ("Which film is on poetry, Race to Nowhere or SlamNation?", "SlamNation", True),
        ("Which film is on poetry, Race to Nowhere or SlamNation?", "National Poetry Slam", False),
        ("How tall is Broad Peak?", "8,051 m", True),
        ("How tall is Broad Peak?", "12th", False),
        ("How tall is Broad Peak?", "1957", False),
        ("Who wrote the play or film?", "Ann Lee", True),
    ],
)
def test_a_choice_is_answered_by_one_of_the_two_and_a_height_by_a_length(
    question: str, text: str, fits: bool
) -> None:
    assert fitness(text, question, AnswerType.ANY) == (1.0 if fits else UNFIT)


def test_a_chinese_passage_supports_a_latin_answer_that_touches_its_characters() -> None:
    hits = [hit(0, "海阔天空的演唱者是 Beyond。"), hit(1, "歌曲海阔天空由Beyond演唱，收录于专辑。")]
    verdict = vote("海阔天空是谁演唱的？", hits, [candidate(hits[0], "Beyond")]).verdict
    assert verdict is not None
    assert verdict.clusters[0].supporters == ("p1",)


def test_a_passage_that_states_the_answer_supports_it_without_being_read() -> None:
    hits, read = case([("Jindřich Polák", 0.5), ("Jindřich Polák", 0.5)])
    alone = vote(QUESTION, hits[:1], read[:1]).verdict
    supported = vote(QUESTION, hits, read[:1]).verdict
    assert alone is not None
    assert supported is not None
    assert supported.clusters[0].supporters == ("p1",)
    assert supported.clusters[0].strength > alone.clusters[0].strength


def test_nothing_retrieved_is_told_apart_from_nothing_read() -> None:
    nothing = vote(QUESTION, [], [])
    assert nothing.failure is not None
    assert nothing.failure.reason is FailureReason.NOTHING_RETRIEVED
    hits, _ = case([("Jindřich Polák", 0.5)])
    unread = vote(QUESTION, hits, [])
    assert unread.failure is not None
    assert unread.failure.reason is FailureReason.NOTHING_READ


def test_a_passage_that_surely_holds_no_answer_has_no_vote() -> None:
    hits, _ = case([("Jindřich Polák", 0.5)])
    read = [candidate(hits[0], "Jindřich Polák", no_answer=1.0)]
    assert vote(QUESTION, hits, read).verdict is None


names = st.sampled_from(["Jindřich Polák", "Jan Novák", "Karel Zeman", "Věra Chytilová"])
answers = st.lists(
    st.tuples(names, st.floats(min_value=0.1, max_value=0.9)), min_size=1, max_size=6
)


@settings(deadline=None)
@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_passages_and_candidates_never_matters(
    given_answers: list[tuple[str, float]], random: object
) -> None:
    hits, read = case(given_answers)
    before = vote(QUESTION, hits, read)
    random.shuffle(hits)  # type: ignore[attr-defined]
    random.shuffle(read)  # type: ignore[attr-defined]
    after = vote(QUESTION, hits, read)
    assert before.verdict is not None
    assert after.verdict is not None
    assert after.verdict.answer == before.verdict.answer
    assert after.verdict.confidence == pytest.approx(before.verdict.confidence)


@settings(deadline=None)
@given(answers.filter(lambda a: len(a) < 6), st.floats(min_value=0.1, max_value=0.9))
def test_an_independent_supporter_never_lowers_a_cluster(
    given_answers: list[tuple[str, float]], score: float
) -> None:
    hits, read = case(given_answers)
    before = {c.text: c.strength for c in _clusters(hits, read)}
    name = given_answers[0][0]
    hits, read = case([*given_answers, (name, score)])
    after = {c.text: c.strength for c in _clusters(hits, read)}
    assert after[name] >= before[name] - 1e-9


@settings(deadline=None)
@given(answers.filter(lambda a: len(a) < 6), st.integers(min_value=0, max_value=4))
def test_a_copy_changes_no_strength(given_answers: list[tuple[str, float]], which: int) -> None:
    hits, read = case(given_answers)
    before = {c.text: c.strength for c in _clusters(hits, read)}
    original = which % len(hits)
    copy = hit(99, hits[original].passage.text)
    read = [*read, candidate(copy, given_answers[original][0], score=given_answers[original][1])]
    after = {c.text: c.strength for c in _clusters([*hits, copy], read)}
    assert after == pytest.approx(before)


def _clusters(hits: list[Hit], read: list[Candidate]) -> list:  # type: ignore[type-arg]
    verdict = vote(QUESTION, hits, read).verdict
    assert verdict is not None
    return list(verdict.clusters)


def test_groups_join_documents_and_keep_strangers_apart() -> None:
    one = Passage(id="a#1", document="a", text="one two three four five")
    two = Passage(id="a#2", document="a", text="six seven eight nine ten")
    other = Passage(id="b", document="b", text="eleven twelve thirteen fourteen fifteen")
    groups = independent_groups([one, two, other])
    assert groups["a#1"] == groups["a#2"] != groups["b"]
