"""The published specification of Elasticsearch's REST API, read from its artifact.

`org.elasticsearch:rest-api-spec` has one JSON file for each endpoint: its paths and methods, its
parameters, whether it takes a body. It says nothing of what stands inside a body or an answer.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zipfile import ZipFile

FOLDER = "rest-api-spec/api/"
COMMON = f"{FOLDER}_common.json"
"""The parameters that every endpoint takes."""


class ContractError(Exception):
    """A request that the specification does not have."""


@dataclass(frozen=True)
class Request:
    """What was sent, as far as the specification speaks of it."""

    method: str
    target: str
    body: bytes = b""


class ApiSpecification:
    """The endpoints, by name.

    Parameters
    ----------
    jars
        A class path with the artifact in it.
    """

    def __init__(self, jars: str) -> None:
        [jar] = [jar for jar in jars.split(os.pathsep) if "rest-api-spec" in jar]
        self._endpoints: dict[str, dict[str, Any]] = {}
        with ZipFile(jar) as files:
            self._common = json.loads(files.read(COMMON))["params"]
            for name in {*files.namelist()} - {COMMON}:
                if name.startswith(FOLDER) and name.endswith(".json"):
                    self._endpoints |= json.loads(files.read(name))

    def endpoint(self, request: Request) -> str:
        """Return the name of the endpoint that a request is for, once it keeps to the contract.

        Raises
        ------
        ContractError
            Where no endpoint has this path and method, or a parameter or its value is unknown, or
            a body is missing or not foreseen.
        """
        parts = urlsplit(request.target)
        name = self._named(request.method, parts.path)
        endpoint = self._endpoints[name]
        known = endpoint.get("params", {}) | self._common
        for parameter, value in parse_qsl(parts.query, keep_blank_values=True):
            if parameter not in known:
                raise ContractError(f"{name} has no parameter {parameter!r}")
            options = known[parameter].get("options")
            if options and not {*value.split(",")} <= {*map(str, options)}:
                raise ContractError(f"{parameter} of {name} cannot be {value!r}")
        body = endpoint.get("body")
        if request.body and body is None:
            raise ContractError(f"{name} takes no body")
        if body and body.get("required") and not request.body:
            raise ContractError(f"{name} needs a body")
        for line in request.body.splitlines() if body and body.get("serialize") == "bulk" else []:
            json.loads(line)
        return name

    def _named(self, method: str, path: str) -> str:
        """Return the endpoint whose path fits with the fewest placeholders."""
        fitting = [
            (len(place.get("parts", {})), name)
            for name, endpoint in self._endpoints.items()
            for place in endpoint["url"]["paths"]
            if method in place["methods"] and _fits(place["path"], path)
        ]
        if not fitting:
            raise ContractError(f"there is no {method} {unquote(path)}")
        return min(fitting)[1]


def _fits(template: str, path: str) -> bool:
    # A name of an index does not begin with an underscore, so that `/{index}` is not `/_bulk`.
    pattern = re.sub(r"\\\{\w+\\\}", "[^_/][^/]*", re.escape(template))
    return re.fullmatch(pattern, path) is not None
