"""Who we are to an Elasticsearch node: here, as settings must not load the client."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class ElasticsearchConnection(BaseModel):
    """Who we are to a node, and how long we wait for it. No form of it shows the password."""

    # Pydantic's errors quote the input, which may hold the password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user: str | None = None
    """None is `elastic` where a password is given."""
    password: SecretStr | None = None
    """None is what the environment variable HOPTREE_ELASTICSEARCH_PASSWORD holds."""
    ca: Path | None = None
    """File with the certificate authority that signed the node's certificate."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds that one call may take."""


def is_address(index: str | None) -> bool:
    """Return whether an index is named by the address of a node, and not by a folder."""
    return index is not None and index.startswith(("es://", "es+https://"))
