"""The examples, run as a person runs them: over the sample index, which they expect in a place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hoptree_command import Hoptree

EXAMPLES = Path(__file__).parents[2] / "examples"
ANSWER = "September 23, 1935"
PRINTED = {
    "ask": ["path 1: ", ANSWER],
    "stream": ["path 1: ", ANSWER],
    "follow_up": ["Les McCann", "understood as: When was Les McCann born?", ANSWER],
    "batch": ["360 documents added", ANSWER, "'': the question is empty", "1972年"],
    "langchain_chain": ["5ffb7ec7abb2 Live at Shelly's Manne-Hole", ANSWER, f"['{ANSWER}'"],
}


def test_every_example_is_run() -> None:
    assert {script.stem for script in EXAMPLES.glob("*.py")} == PRINTED.keys()


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_promises(
    name: str, hoptree: Hoptree, sample_index: Path
) -> None:
    (hoptree.folder / ".hoptree").mkdir()
    (hoptree.folder / ".hoptree" / "sample").symlink_to(sample_index)
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=hoptree.folder,
        env=hoptree.env,  # with HOPTREE_THREADS=1
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    for text in PRINTED[name]:
        assert text in done.stdout
