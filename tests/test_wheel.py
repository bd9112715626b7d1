"""What `pip install hoptree` brings: every file of the packages, data files too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "graph", "retrievers", "prompts")


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    assert {"agent/readers/reader-en.onnx", "prompts/compose_en.txt"} <= files
    # From a copy: setuptools leaves a build folder, and takes what an earlier build left in it.
    for name in (*files, "pyproject.toml", "README.md", "LICENSE"):
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
        assert files - set(packed.namelist()) == set()
