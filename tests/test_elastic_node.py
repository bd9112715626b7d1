"""Which Java a test node is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from elastic_node import NodeUnavailableError, java_home


def jdk(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "javac").touch()
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_oldest_java_that_is_new_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = jdk(tmp_path / "a", "1.8.0_402"), jdk(tmp_path / "b", "9021.0.1")
    monkeypatch.setenv("JAVA_HOME", str(older))
    monkeypatch.setenv("HOPTREE_JAVA21_HOME", str(newer))

    assert java_home(9000) == newer


def test_missing_java_is_said_with_where_it_was_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(NodeUnavailableError, match=r"Java 9000 or later.*JAVA_HOME"):
        java_home(9000)
