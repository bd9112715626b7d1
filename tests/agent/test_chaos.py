"""Runs that are killed for real, everywhere: `benchmarks/chaos.py` over two sample questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_runs_killed_everywhere_end_with_the_same_answers_and_repeat_no_finished_call(
    sample_index: Path, tmp_path: Path
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOPTREE_")}
    chaos = [sys.executable, ROOT / "benchmarks" / "chaos.py", ROOT / "agent" / "sample"]
    done = subprocess.run(
        [*chaos, tmp_path / "out", "--index", sample_index, "--limit", "2"],
        cwd=tmp_path,
        env=kept | {"HOPTREE_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    total = json.loads(done.stdout.splitlines()[-1])
    assert total["questions"] == total["same_answer"] == 2
    assert total["repeated_calls"] == 0
    assert total["kills"] >= 2 * 15  # two at each node boundary, and one in each call
    assert total["inside_calls"] >= 2 * 4
