"""What the tests of all rooms share: the model that ships, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.llama import LlamaCppChat


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaCppChat]:
    """The real SmolLM2-135M through llama.cpp, with a context of 2,048 tokens."""
    # llama.cpp's threads wait for each other in a spin, so one is the fastest on a busy machine.
    model = LlamaCppChat(n_ctx=2048, n_threads=1)
    model.load()
    yield model
    model.close()
