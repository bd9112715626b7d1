"""Who gets to see the viewer's pages, and what a page may do in a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import traced_runs as made
from starlette.testclient import TestClient

from agent.settings import Settings
from agent.viewer.app import FORM_BYTES, build
from agent.viewer.guard import is_loopback
from agent.viewer.pages import exported_page
from agent.viewer.run import run_view

TOKEN = "a long and secret word"
HERE = "http://127.0.0.1:8747"
SCREEN = "http://192.168.1.5:8747"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made.written(tmp_path / "runs", made.run("the-run"))
    return Settings(traces=tmp_path / "runs", index=str(tmp_path / "none"))


@pytest.fixture
def local(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build(settings), base_url=HERE, follow_redirects=False) as client:
        yield client


@pytest.fixture
def shared(settings: Settings) -> Iterator[TestClient]:
    app = build(settings, host="0.0.0.0", token=TOKEN)
    with TestClient(app, base_url=SCREEN, follow_redirects=False) as client:
        yield client


def form_token(client: TestClient) -> str:
    [token] = set(re.findall(r'name="form_token" value="([^"]+)"', client.get("/").text))
    return token


# ── the token ─────────────────────────────────────────────────────────────────────────────────


def test_without_the_token_nothing_is_shown(shared: TestClient) -> None:
    for address in (
        "/",
        "/runs.json",
        "/runs/the-run",
        "/runs/the-run.jsonl",
        "/runs/the-run/events",
        "/compare?a=the-run&b=the-run",
        "/static/viewer.css",
        "/nowhere",
        "/?token=wrong",
        "/?token=",
        "/?token=%F0%9F%90%BC",
    ):
        answer = shared.get(address)
        assert answer.status_code == 401, address
        assert answer.text.count(".") and made.QUESTION not in answer.text
    assert shared.post("/ask", data={"question": "?"}).status_code == 401


def test_the_token_is_kept_in_a_cookie_and_out_of_the_address(shared: TestClient) -> None:
    first = shared.get("/runs/the-run", params={"token": TOKEN, "open": "all"})
    assert (first.status_code, first.headers["location"]) == (303, "/runs/the-run?open=all")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert made.QUESTION in shared.get("/runs/the-run").text


def test_the_welcome_leads_to_no_other_host(shared: TestClient) -> None:
    answer = shared.get(f"{SCREEN}//evil.example/x", params={"token": TOKEN})
    assert answer.headers["location"] == "/evil.example/x"


def test_the_token_may_come_in_a_header(shared: TestClient) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert shared.get("/runs.json", headers=bearer).status_code == 200
    assert shared.get("/runs.json", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_a_server_that_others_reach_is_never_without_a_token(settings: Settings) -> None:
    with pytest.raises(ValueError, match="needs a token"), TestClient(build(settings, host="::")):
        pass


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_what_only_this_machine_reaches_is_known(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


# ── the host ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8747", "localhost:8747", "LOCALHOST", "[::1]:8747", "127.0.0.1"]
)
def test_this_machine_is_known_by_its_own_names(local: TestClient, host: str) -> None:
    assert local.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8747", "127.0.0.1.evil.example", "192.168.1.5", "0.0.0.0", ""],
)
def test_a_name_that_is_made_to_point_here_is_refused(local: TestClient, host: str) -> None:
    answer = local.get("/", headers={"host": host})
    assert answer.status_code == 421 and made.QUESTION not in answer.text


def test_beyond_this_machine_a_foreign_name_is_refused_before_the_token(
    shared: TestClient,
) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for host in ("192.168.1.5", "[fe80::1]:8747", "localhost", socket.gethostname()):
        assert shared.get("/", headers={"host": host, **bearer}).status_code == 200
    assert shared.get("/", headers={"host": "evil.example", **bearer}).status_code == 421


# ── forms ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_form_token(
    local: TestClient, headers: dict[str, str]
) -> None:
    fields = {"form_token": form_token(local), "question": "?"}
    for address in ("/ask", "/runs/the-run/fork", "/runs/the-run/resume", "/runs/the-run/stop"):
        assert local.post(address, data=fields, headers=headers).status_code == 403


def test_a_form_without_the_form_token_is_refused(local: TestClient) -> None:
    ours = {"origin": HERE, "sec-fetch-site": "same-origin"}
    for fields in ({}, {"form_token": "wrong"}, {"form_token": ""}):
        answer = local.post("/ask", data={"question": "?", **fields}, headers=ours)
        assert answer.status_code == 403


def test_a_form_that_is_too_large_or_no_text_is_refused(local: TestClient) -> None:
    token = form_token(local)
    large = {"form_token": token, "question": "x" * FORM_BYTES}
    assert local.post("/ask", data=large).status_code == 413
    for body in (b"form_token=%FF", b"question=\xff"):
        assert local.post("/ask", content=body).status_code == 400


# ── what a page may do ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["/", "/runs/the-run", "/nowhere", "/static/viewer.js"])
def test_every_answer_forbids_what_no_page_of_ours_does(local: TestClient, address: str) -> None:
    headers = local.get(address).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    for directive in ("base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert directive in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_no_page_holds_a_script_or_a_style_of_its_own(local: TestClient) -> None:
    for address in ("/", "/runs/the-run", "/compare?a=the-run&b=the-run", "/nowhere"):
        page = local.get(address).text
        assert not re.search(r"<style|<script>|\sstyle=|\son\w+=|<iframe|<img|<base", page)
        addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page)
        assert addresses
        for found in addresses:
            assert found.startswith(("/", "#")) or found == made.SINGER.url, found


def test_the_policy_of_an_exported_run_allows_its_own_style_and_script_alone() -> None:
    page = exported_page(run_view(made.run()))
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    for tag in ("style", "script"):
        [content] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in html.unescape(policy)
