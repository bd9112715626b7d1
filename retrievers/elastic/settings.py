"""Where a corpus is: `es://user:password@host:port/corpus`."""

from __future__ import annotations

import os
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, ValidationError

from retrievers.connection import ElasticsearchConnection, is_address
from retrievers.elastic.errors import ElasticsearchAddressError

PASSWORD_VARIABLE = "HOPTREE_ELASTICSEARCH_PASSWORD"


class ElasticsearchSettings(ElasticsearchConnection):
    """The node, the corpus on it, and the connection. No form of it shows the password."""

    host: str = Field(min_length=1)
    port: int = Field(default=9200, ge=1, le=65535)
    corpus: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    """Lower-case ASCII letters, digits, - and _; it is the name of an alias on the node."""
    tls: bool = False

    @classmethod
    def from_url(cls, url: str, connection: ElasticsearchConnection | None = None) -> Self:
        """Read `es://` or `es+https://`, with `?timeout=SECONDS` and `?ca=FILE` where wanted.

        What the address does not say is taken from `connection`, and a password that neither says
        from the environment, so that it need not stand on a command line.

        Raises
        ------
        retrievers.elastic.ElasticsearchAddressError
            Where it is no such address; the message does not repeat it, as it may hold a password.
        """
        form = "write it as es://host:port/corpus or es+https://user:password@host:port/corpus"
        try:
            if not is_address(url):
                raise ElasticsearchAddressError(f"not an Elasticsearch address: {form}")
            parts = urlsplit(url)
            said = {
                **dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
                "host": parts.hostname or "",
                "port": parts.port or 9200,
                "corpus": unquote(parts.path.strip("/")),
                "tls": parts.scheme == "es+https",
                "user": unquote(parts.username) if parts.username else None,
                "password": unquote(parts.password) if parts.password else None,
            }
            known = (connection or ElasticsearchConnection()).model_dump()
            if known["password"] is None:
                known["password"] = os.environ.get(PASSWORD_VARIABLE)
            return cls.model_validate(known | {k: v for k, v in said.items() if v is not None})
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
