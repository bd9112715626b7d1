"""The drawing of a verdict: what stands in it, and that no text can break it."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from support_cases import FRAMES, QUESTION, candidate, case, hit

from graph.support import explain, svg, vote
from graph.types import StepResult
from retrievers.passage import Passage

SVG = "{http://www.w3.org/2000/svg}"


def drawn(result: StepResult, passages: dict[str, Passage]) -> ElementTree.Element:
    return ElementTree.fromstring(svg(result, passages))


def test_passages_stand_left_and_answers_right_joined_by_their_votes() -> None:
    hits, read = case([("Jindřich Polák", 0.6), ("Jan Novák", 0.5), ("Jindřich Polák", 0.4)])
    result = vote(QUESTION, hits, read)
    picture = drawn(result, {h.passage.id: h.passage for h in hits})
    assert picture.findtext(f"{SVG}title") == QUESTION
    groups = picture.findall(f"{SVG}g")
    assert [g.get("class") for g in groups].count("passage") == 3
    assert [g.get("class") for g in groups].count("answer wins") == 1
    assert [g.get("class") for g in groups].count("answer") == 1
    edges = [p for p in picture.findall(f"{SVG}path") if p.get("class") in {"reads", "states"}]
    assert len(edges) == 3
    left = {g.find(f"{SVG}rect").get("x") for g in groups if g.get("class") == "passage"}  # type: ignore[union-attr]
    right = {g.find(f"{SVG}rect").get("x") for g in groups if g.get("class") != "passage"}  # type: ignore[union-attr]
    assert max(map(float, left)) < min(map(float, right))  # type: ignore[arg-type]


def test_passages_that_share_a_vote_are_bracketed() -> None:
    copies = [hit(n, FRAMES[0].format("Jan Novák")) for n in range(3)]
    result = vote(QUESTION, copies, [candidate(h, "Jan Novák") for h in copies])
    picture = drawn(result, {})
    [bracket] = [p for p in picture.findall(f"{SVG}path") if p.get("class") == "bracket"]
    assert "copy" in (bracket.findtext(f"{SVG}title") or "")


def test_a_failure_is_drawn_with_its_reason() -> None:
    hits, _ = case([("Jan Novák", 0.5)])
    result = vote(QUESTION, hits, [])
    assert result.failure is not None
    picture = drawn(result, {})
    assert picture.findtext(f"{SVG}desc") == result.failure.detail


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1), st.text(), st.text(min_size=1))
def test_no_text_breaks_the_drawing(title: str, before: str, answer: str) -> None:
    found = hit(0, before + answer, title=title or "x")
    result = vote(f"Who is {title}?", [found], [candidate(found, answer, no_answer=0.1)])
    picture = drawn(result, {"p0": found.passage})
    names = {e.tag.removeprefix(SVG) for e in picture.iter()}
    assert names <= {"svg", "title", "desc", "style", "g", "rect", "text", "path"}


def test_a_verdict_is_explained_in_the_language_of_its_question() -> None:
    hits = [hit(0, "海阔天空的演唱者是Beyond。"), hit(1, "歌曲海阔天空由Beyond演唱，收录于专辑。")]
    read = [candidate(hits[0], "Beyond")]
    chinese = explain(
        vote("海阔天空是谁演唱的？", hits, read), {h.passage.id: h.passage for h in hits}
    )
    assert "读自《Title 0》" in chinese
    latin = vote("Who sang Hai Kuo Tian Kong?", hits, read)  # of a Chinese run
    assert "读自《p0》" in explain(latin, language="zh")
    assert 'lang="zh"' in svg(latin, {}, "zh") and "读自" in svg(latin, {}, "zh")
    hits, read = case([("Jindřich Polák", 0.9), ("Jan Novák", 0.2)])
    english = explain(vote(QUESTION, hits, read), {h.passage.id: h.passage for h in hits})
    assert "read in “Title 0”" in english
    assert "against it: “Jan Novák”" in english
