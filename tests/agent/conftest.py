"""What the tests of the agent share: the `hoptree` command, and the sample corpus indexed by it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hoptree_command import Hoptree


@pytest.fixture
def hoptree(tmp_path: Path) -> Hoptree:
    return Hoptree(tmp_path)


@pytest.fixture(scope="session")
def sample_indexed(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The index that `hoptree index --sample` made, and what it said."""
    folder = tmp_path_factory.mktemp("sample")
    return folder / "index", Hoptree(folder)("index", "--sample", "--index", folder / "index")


@pytest.fixture(scope="session")
def sample_index(sample_indexed: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    return sample_indexed[0]
