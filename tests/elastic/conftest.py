"""Every test here that uses a node runs on each server that hoptree supports."""

from __future__ import annotations

import pytest
from elastic_node import SERVERS


@pytest.fixture(params=SERVERS, ids="server-{}".format)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)
