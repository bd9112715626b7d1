"""The package's public names: all there, none loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import retrievers


@pytest.mark.parametrize("name", retrievers.__all__)
def test_public_name_can_be_used_from_the_package(name: str) -> None:
    assert getattr(retrievers, name) is not None
    assert name in dir(retrievers)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = retrievers.Nothing


@pytest.mark.parametrize("statement", ["import retrievers", "from retrievers import EmbeddedIndex"])
def test_importing_loads_no_engine(statement: str) -> None:
    heavy = "{'onnxruntime', 'tokenizers', 'elasticsearch', 'jieba', 'usearch', 'pypdf', 'bs4'}"
    check = f"{statement}; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr
