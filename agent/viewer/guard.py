"""Who may ask the viewer what: checked before any page is made.

A page of another site can make the reader's browser send requests here, and a name that it owns can
be made to point here (DNS rebinding). So the host of every request is checked, a request that
changes something must come from a page of ours, and beyond this machine a token is required.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_TOKEN = "form_token"
"""The field of every form that says that the form is one of ours."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Other sites learn nothing. With `no-referrer` browsers would send our own forms with
    # `Origin: null`, which cannot be told from a foreign page's.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on this host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware: checks the host, the token and the origin; adds the security headers.

    Parameters
    ----------
    app
        What is guarded.
    host
        What the server listens on.
    token
        What a reader must show; None lets everyone in who can reach a loopback address.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app = app
        self._local = is_loopback(host)
        if token is None and not self._local:
            raise ValueError("a server that others can reach needs a token")
        self._token = token
        self._names = {"localhost", host.casefold()}
        if not self._local:
            own = socket.gethostname().casefold()
            self._names |= {own, f"{own}.local"}
        self._form_token = secrets.token_urlsafe(24)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["state"] = {**scope.get("state", {}), FORM_TOKEN: self._form_token}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        """Return what is answered instead of the page; None lets the request through."""
        if not self._is_ours(request.headers.get("host", "")):
            return PlainTextResponse(
                "This is not a name of this server: open the address that it printed.", 421
            )
        if self._token is not None:
            given = request.query_params.get("token")
            if given is not None and _same(given, self._token):
                return self._welcome(request)
            if not self._known(request):
                return PlainTextResponse(
                    "A token is needed: open the address with ?token=… that the server printed.",
                    401,
                )
        if request.method not in {"GET", "HEAD"} and not _from_our_page(request.headers):
            return PlainTextResponse("This form was not sent from a page of this server.", 403)
        return None

    def _is_ours(self, host: str) -> bool:
        """Return whether a Host header names us. An address cannot be rebound, a name can."""
        name = _hostname(host)
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return address.is_loopback or not self._local

    # ── the token ─────────────────────────────────────────────────────────────────────────────

    def _cookie(self, request: Request) -> tuple[str, str]:
        """Return the name and value of the cookie: another port's server must not learn the token.

        Cookies are shared by all ports of a host.
        """
        assert self._token is not None
        value = hmac.new(self._token.encode(), b"hoptree viewer", hashlib.sha256).hexdigest()
        return f"hoptree-{request.url.port or 80}", value

    def _known(self, request: Request) -> bool:
        assert self._token is not None
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and _same(bearer.strip(), self._token):
            return True
        name, value = self._cookie(request)
        return _same(request.cookies.get(name, ""), value)

    def _welcome(self, request: Request) -> Response:
        """Keep the token in a cookie, and out of the address."""
        rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k != "token"])
        # One slash: an address that began with two would lead to another host.
        path = "/" + request.url.path.lstrip("/")
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        name, value = self._cookie(request)
        response.set_cookie(name, value, httponly=True, samesite="strict", path="/")
        return response


def _hostname(host: str) -> str:
    """Return the name or address of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0].casefold() if ":" in host else host.casefold()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _from_our_page(headers: Headers) -> bool:
    """Return whether the browser says so, as far as it says anything. The form token says more."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return False
    return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


def is_our_form(request: Request, fields: Mapping[str, str]) -> bool:
    """Return whether the fields hold the token that our pages put into their forms."""
    return _same(fields.get(FORM_TOKEN, ""), request.scope["state"][FORM_TOKEN])
