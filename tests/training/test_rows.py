"""What the readers are trained on, and what they must never be."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from training.reader.config import english_rows
from training.reader.examples import DevelopmentQuestionError, Example, Guard, Source
from training.reader.lives import lives

PASSAGE = Source(id="p", title="陳國棟", text="陳國棟是台灣的工程師，設計了清江大橋。")


def guarded(folder: Path, question: str) -> Guard:
    (folder / "set").mkdir()
    row = json.dumps({"question": question}, ensure_ascii=False)
    (folder / "set" / "questions.jsonl").write_text(row + "\n", encoding="utf-8")
    return Guard(folder)


@pytest.mark.parametrize(
    "asked", ["清江大橋是誰設計的?", "清江大桥是谁设计的", "清江大桥，是谁 设计的？"]
)
def test_a_development_question_is_known_in_any_script_and_spacing(
    asked: str, tmp_path: Path
) -> None:
    guard = guarded(tmp_path, "清江大桥是谁设计的？")
    assert guard.drops(asked)
    row = Example(kind="drcd", question=asked, passage=PASSAGE, start=0, answer="陳國棟")
    with pytest.raises(DevelopmentQuestionError):
        guard.check([row])


def test_lives_ask_for_the_birth_and_the_death_that_stand_in_the_text() -> None:
    rows = [row for seed in range(20) for row in lives([PASSAGE], random.Random(seed))]
    assert len(rows) == 40
    for birth, death in zip(rows[::2], rows[1::2], strict=True):
        assert birth.start < death.start
        assert birth.passage.text[birth.start :].startswith(birth.answer)
        assert death.passage.text[death.start :].startswith(death.answer)
        assert birth.negatives == (PASSAGE,)


def test_what_is_spared_for_the_scorer_is_not_held_out_for_the_curves() -> None:
    config = english_rows()
    numbers = [n for n in range(60) if config.spares_question(n)]
    assert len(numbers) == 18  # every third, but for those held out
    assert not any(n % config.held_out_every == 0 for n in numbers)
    passages = [f"{n:012x}" for n in range(60)]
    assert sum(map(config.spares_passage, passages)) == 20
    assert not any(map(config.spares_passage, config.held_out_passages))
