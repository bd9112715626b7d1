"""What the learned planner is trained on: plans found again in the words of their questions."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import training.planner
from graph.planning.learned import WEIGHTS
from training.planner.alignment import splits_of
from training.planner.build import Decision, break_decisions, guarded
from training.planner.fit import Packed, _gradient, probabilities
from training.planner.qdmr import content, is_chain, kind_of, merged, overlap, steps_of
from training.reader.examples import DevelopmentQuestionError, Guard

QUESTION = "Where was the band that recorded Glass Harbour formed?"
STEPS = ["return the band that recorded Glass Harbour", "return where was #1 formed"]


def row(question: str = QUESTION) -> dict[str, object]:
    return {
        "id": "HOTPOT_dev_1",
        "question": question,
        "steps": STEPS,
        "operators": "['select', 'project']",
    }


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    folder = tmp_path / "hotpotqa"
    folder.mkdir()
    (folder / "questions.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    return Guard(tmp_path)


def test_a_step_is_found_where_its_words_stand() -> None:
    found = splits_of(QUESTION, steps_of(row()))
    assert found is not None
    first, last = found
    assert first.right[0].kind == "nested"
    assert (last.text, last.right) == ("Where was #1 formed?", ())


def test_steps_of_other_words_are_not_found() -> None:
    assert splits_of(QUESTION, ["the river in Peru", "the length of #1"]) is None


@pytest.mark.parametrize(
    ("operators", "kind"),
    [
        (["select", "project"], "bridge"),
        (["select", "project", "aggregate"], "count"),
        (["select", "filter"], "filter"),
        (["select", "select", "comparison"], "choice"),
        (["boolean", "boolean", "boolean"], "agreement"),
        (["select", "select", "intersection"], "common"),
        (["select"], "single"),
        (["select", "discard"], "other"),
    ],
)
def test_operators_tell_the_kind_of_plan(operators: list[str], kind: str) -> None:
    assert kind_of(operators) == kind_of(str(operators)) == kind


def test_a_number_or_name_of_a_step_is_that_step() -> None:
    steps = ["return wives of Holm", "return the number of #1"]
    assert steps_of({"steps": steps}) == ["wives of Holm"]
    assert is_chain(["a", "b of #1", "c of #2"])
    assert not is_chain(["a", "b of #1", "c of #1"])


def test_a_step_that_only_narrows_the_one_before_is_one_with_it() -> None:
    steps = ["the film", "#1 that won a prize", "the director of #2", "when was #3 born"]
    assert merged(steps) == [
        "the film that won a prize",
        "the director of #1",
        "when was #2 born",
    ]


def test_a_chain_that_narrows_what_it_finds_is_trained_on(tmp_path: Path) -> None:
    file = tmp_path / "plans.jsonl"
    told = {
        "id": "HOTPOT_dev_2",
        "question": "When was the director of the Danish film that won the Bodil Award born?",
        "steps": [
            "return the Danish film",
            "return #1 that won the Bodil Award",
            "return the director of #2",
            "return when was #3 born",
        ],
        "operators": "['select', 'filter', 'project', 'project']",
    }
    file.write_text(json.dumps(told) + "\n", encoding="utf-8")
    [(_, decisions)] = break_decisions(file)
    assert [d.text for d in decisions][1:] == [
        "When was the director of #1 born?",
        "When was #2 born?",
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["the band", "#{} that won", "the director of #{}"])))
def test_merged_steps_still_refer_backwards_only(forms: list[str]) -> None:
    steps = ["the film", *(form.format(number) for number, form in enumerate(forms, 1))]
    for number, step in enumerate(merged(steps), 1):
        assert all(0 <= int(k) < number for k in re.findall(r"#(\d+)", step))


def test_the_gradient_of_a_batch_is_that_of_its_loss() -> None:
    rows = [
        Packed(np.array([0, 1, 2, 1, 3]), np.array([0, 2, 3]), [0, 2]),
        Packed(np.array([2, 0, 3]), np.array([0, 1]), [1]),
    ]
    weights = np.array([0.3, -0.2, 0.5, 0.1])
    found, loss, _ = _gradient(rows, weights)
    assert loss == pytest.approx(
        -sum(np.log(probabilities(r, weights)[r.right].sum()) for r in rows)
    )
    for sign in range(4):
        moved = weights + np.eye(4)[sign] * 1e-6
        slope = (_gradient(rows, moved)[1] - loss) / 1e-6
        assert found[sign] == pytest.approx(slope, abs=1e-4)


def test_overlap_counts_words_of_meaning_only() -> None:
    assert overlap(content("the band of Rome"), content("Which bands were in Rome?")) == 1
    assert overlap(content("the band"), content("a river")) == 0


def test_a_development_question_is_dropped(guard: Guard, tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    path.write_text(json.dumps(row()) + "\n" + json.dumps(row(f"{QUESTION[:-1]} first?")) + "\n")
    decisions = [d for _, found in break_decisions(path) for d in found]
    assert {d.root for d in decisions} > {d.root for d in guarded(decisions, guard)}


def test_a_text_made_from_others_that_is_a_development_question_fails_the_build(
    guard: Guard,
) -> None:
    made = Decision(source="recombined", root="Who sang it?", text=QUESTION, kind="split")
    with pytest.raises(DevelopmentQuestionError, match="Glass Harbour"):
        guarded([made], guard)


def test_the_card_names_the_weights_that_ship() -> None:
    card = Path(training.planner.__file__).with_name("MODEL.md").read_text(encoding="utf-8")
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in card
