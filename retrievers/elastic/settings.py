"""Where a corpus is: `es://user:password@host:port/corpus`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from retrievers.elastic.errors import ElasticsearchAddressError

PASSWORD_VARIABLE = "HOPTREE_ELASTICSEARCH_PASSWORD"


class ElasticsearchSettings(BaseModel):
    """The node, the corpus on it, and how long to wait. No form of it shows the password."""

    # Pydantic's errors quote the input, which may hold the password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(default=9200, ge=1, le=65535)
    corpus: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    """Lower-case ASCII letters, digits, - and _; it is the name of an alias on the node."""
    tls: bool = False
    user: str | None = None
    password: SecretStr | None = None
    ca: Path | None = None
    """File with the certificate authority that signed the node's certificate."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds that one call may take."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `es://` or `es+https://`, with `?timeout=SECONDS` and `?ca=FILE` where wanted.

        Where a user is given without a password, it is taken from the environment variable
        HOPTREE_ELASTICSEARCH_PASSWORD, so that it need not stand on a command line.

        Raises
        ------
        retrievers.elastic.ElasticsearchAddressError
            Where it is no such address; the message does not repeat it, as it may hold a password.
        """
        form = "write it as es://host:port/corpus or es+https://user:password@host:port/corpus"
        try:
            parts = urlsplit(url)
            if parts.scheme not in ("es", "es+https"):
                raise ElasticsearchAddressError(f"not an Elasticsearch address: {form}")
            password = unquote(parts.password) if parts.password else None
            return cls.model_validate(
                {
                    **dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
                    "host": parts.hostname or "",
                    "port": parts.port or 9200,
                    "corpus": unquote(parts.path.strip("/")),
                    "tls": parts.scheme == "es+https",
                    "user": unquote(parts.username) if parts.username else None,
                    "password": password or os.environ.get(PASSWORD_VARIABLE),
                }
            )
        except ValidationError as error:
            wrong = ", ".join(f"{e['loc'][0]} ({e['msg']})" for e in error.errors())
            raise ElasticsearchAddressError(
                f"wrong in the Elasticsearch address: {wrong}: {form}"
            ) from None
        except ValueError:
            raise ElasticsearchAddressError(
                f"the Elasticsearch address cannot be read: {form}"
            ) from None

    @property
    def address(self) -> str:
        """The node's base URL, without credentials."""
        return f"{'https' if self.tls else 'http'}://{self._place}"

    @property
    def url(self) -> str:
        """The corpus's own address, without credentials."""
        return f"{'es+https' if self.tls else 'es'}://{self._place}/{self.corpus}"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
