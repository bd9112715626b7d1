"""What `pip install hoptree` brings: every file of the packages, data files too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "graph", "retrievers", "prompts")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the tests do not run in a git checkout")
def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    assert {"agent/readers/reader-en.onnx", "prompts/compose_en.txt"} <= tracked
    # From a copy: setuptools leaves a build folder, and takes what an earlier build left in it.
    for name in (*tracked, "pyproject.toml", "README.md", "LICENSE"):
        copy = tmp_path / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)

    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *build, tmp_path / "source"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert tracked - set(packed.namelist()) == set()
