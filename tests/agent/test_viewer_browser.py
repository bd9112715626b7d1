"""The viewer in a real Chromium, with the real model: what a person sees and does.

Screenshots are kept in the folder that HOPTREE_TEST_ARTEFACTS names, else in pytest's own.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import traced_runs as made
from hoptree_command import Hoptree
from playwright.sync_api import Browser, Page, expect, sync_playwright

from agent.traces import TraceWriter
from agent.viewer.pages import INLINE, exported_page
from agent.viewer.run import run_view
from graph.events import Answered, Event

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 240_000
"""Milliseconds that a busy machine may take over an answer."""
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here (Debian: apt install chromium)"
)
WATCH = """
window.seen = [];
new MutationObserver(() => {
  const answer = document.querySelector("#head .answer");
  const now = {
    live: document.querySelector("[data-live]") !== null,
    paths: document.querySelectorAll(".path").length,
    answered: document.querySelectorAll(".step.is-answered").length,
    text: answer ? answer.textContent : "",
  };
  const last = window.seen.at(-1);
  if (JSON.stringify(now) !== JSON.stringify(last)) window.seen.push(now);
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""Notes how the page of a run changes, as a person would see it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield opened
        opened.close()


class Watched:
    """A page, and everything that it should not have done."""

    def __init__(self, page: Page, artefacts: Path) -> None:
        self.page = page
        self._artefacts = artefacts
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def shot(self, name: str) -> None:
        """Keep what the page looks like."""
        self.page.screenshot(path=self._artefacts / f"{name}.png", full_page=True)

    def assert_quiet(self, origin: str) -> None:
        """Check that nothing was complained of and nothing asked for elsewhere."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(origin)] == []


Open = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a page in a browser of its own, with the options of a Playwright context."""
    artefacts = Path(os.environ.get("HOPTREE_TEST_ARTEFACTS", tmp_path / "screenshots"))
    artefacts.mkdir(parents=True, exist_ok=True)
    contexts = []

    def opened(address: str, **options: Any) -> Watched:
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(WATCH)
        watched = Watched(context.new_page(), artefacts)
        watched.page.goto(address)
        return watched

    yield opened
    for context in contexts:
        context.close()


@contextmanager
def serving(hoptree: Hoptree, *options: str | Path) -> Iterator[str]:
    """Run `hoptree trace serve` and yield its address."""
    process = hoptree.start("trace", "serve", "--port", "0", *options)
    try:
        assert process.stdout is not None
        [address] = re.findall(r"http://\S+?(?=/)", process.stdout.readline())
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def traces(hoptree: Hoptree) -> Path:
    return hoptree.folder / "runs"


@pytest.fixture
def server(hoptree: Hoptree) -> Iterator[str]:
    with serving(hoptree) as address:
        yield address


# ── a question, from asking to comparing ──────────────────────────────────────────────────────


def test_a_question_is_asked_watched_opened_forked_and_compared(
    hoptree: Hoptree, sample_index: Path, visit: Open
) -> None:
    with serving(hoptree, "--index", sample_index) as address:
        watched = visit(address)
        page = watched.page
        watched.shot("1-no-runs")
        page.get_by_label("Ask your documents").fill(QUESTION)
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_url(f"{address}/runs/*", timeout=PATIENCE)
        expect(page.locator("#p1")).to_be_visible(timeout=PATIENCE)
        watched.shot("2-growing")
        expect(page.locator("[data-live]")).to_have_count(0, timeout=PATIENCE)
        watched.shot("3-answered")

        # The tree grew and the answer was written while it was looked at.
        seen = page.evaluate("window.seen")
        live = [state for state in seen if state["live"]]
        assert min(state["answered"] for state in live) < seen[-1]["answered"] == 2
        assert len({state["text"] for state in live if state["text"]}) > 1
        expect(page.locator("#head .answer")).to_contain_text("September 23, 1935")

        # A passage opens, with what was read from it.
        step = page.locator("#p1s1")
        step.locator("> summary").click()
        assert step.locator("mark.answer").first.inner_text() == "Les McCann"
        closed = step.locator(".passages details:not([open])").first.get_attribute("id")
        text = page.locator(f"#{closed} .prose")
        expect(text).to_be_hidden()
        page.locator(f"#{closed} > summary").click()
        expect(text).to_be_visible()
        watched.shot("4-step")
        page.get_by_role("link", name="Source 1").click()
        expect(page.locator("#cite1")).to_be_focused()

        # Another answer to the first step leads to another answer to the question.
        asked = page.url.partition("#")[0]
        step.get_by_label("The right answer").fill("John Updike")
        step.get_by_role("button", name="Fork from here").click()
        page.wait_for_url(
            lambda url: "/runs/" in url and not url.startswith(asked), timeout=PATIENCE
        )
        expect(page.locator("[data-live]")).to_have_count(0, timeout=PATIENCE)
        expect(page.locator("#head .answer")).to_contain_text("1932")
        watched.shot("5-forked")
        page.get_by_role("link", name="Compare both").click()
        told = page.get_by_role("region", name="What differs")
        expect(told).to_contain_text("a person answered step 1 with “John Updike”")
        expect(told).to_contain_text("They part at “Who recorded Live at Shelly's Manne-Hole?”")
        watched.shot("6-compared")

        page.get_by_role("link", name="hoptree").click()
        expect(page.locator(".runs > .run")).to_have_count(2)
        watched.assert_quiet(address)


def test_a_run_of_another_process_is_watched_without_losing_ones_place(
    server: str, traces: Path, visit: Open
) -> None:
    events = made.run()
    with TraceWriter(traces, "20260101-000000-abcdef") as trace:
        for event in events[:6]:
            trace.write(event)
        watched = visit(f"{server}/runs/20260101-000000-abcdef")
        page = watched.page
        summary = page.locator("#p1s1 > summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#now")).to_have_text("step 1: found “Ann Lee”")
        for event in events[6:]:
            trace.write(event)
        expect(page.locator("#p2.is-chosen")).to_be_visible()
        expect(page.locator("#now")).to_have_text("answered")
        # The first path was drawn anew, as it was left.
        expect(page.locator("#p1.is-left")).to_be_visible()
        assert page.locator("#p1s1").evaluate("step => step.open")
        expect(summary).to_be_focused()
    page.reload()
    expect(page.locator("#p2.is-chosen")).to_be_visible()
    watched.assert_quiet(server)


def test_without_scripts_a_page_shows_the_same(server: str, traces: Path, visit: Open) -> None:
    made.written(traces, made.run())
    page = visit(f"{server}/runs/20260101-000000-abcdef", java_script_enabled=False).page
    page.locator("#p1s1 > summary").click()
    expect(page.locator("#p1s1 .prose").first).to_be_visible()
    page.get_by_label("Compare with").select_option(index=0)
    page.get_by_role("link", name="hoptree").click()
    expect(page.get_by_role("link", name=made.QUESTION)).to_be_visible()


def test_what_a_long_page_leaves_out_comes_when_a_step_is_opened(
    server: str, traces: Path, visit: Open
) -> None:
    made.written(traces, made.long_run("long", INLINE + 10))
    watched = visit(f"{server}/runs/long")
    step = watched.page.locator(f"#p{INLINE + 5}s1")
    expect(step.locator(".later")).to_have_count(1)
    step.locator("> summary").click()
    expect(step.locator(".prose mark.answer").first).to_have_text("Ann Lee")
    expect(step.locator(".later")).to_have_count(0)
    watched.assert_quiet(server)


# ── a hostile passage ─────────────────────────────────────────────────────────────────────────

HOSTILE = (
    "<script>alert('passage')</script><img src=x onerror=alert(1)></details></style>"
    "<svg onload=alert(2)>\"'><a href='javascript:alert(3)'>{{7*7}} click</a>"
    "\x1b[2J\x1b]0;owned\x07\x9b31m \u202egnp.exe\u2066 &lt;b&gt; ${x} http://evil.example/"
)
HARMLESS = (
    "<script>alert('passage')</script><img src=x onerror=alert(1)></details></style>"
    "<svg onload=alert(2)>\"'><a href='javascript:alert(3)'>{{7*7}} click</a>"
    "[2J]0;owned31m gnp.exe &lt;b&gt; ${x} http://evil.example/"
)


def hostile(events: list[Event]) -> list[Event]:
    """The run with the hostile text in every text that comes from outside."""
    changed = []
    for event in events:
        told = event.model_dump()
        _spoil(told)
        changed.append(type(event).model_validate(told))
    ended = changed[-1]
    assert isinstance(ended, Answered)
    passages = tuple(
        p.model_copy(update={"url": "javascript:alert(4)", "id": p.id}) for p in ended.passages
    )
    changed[-1] = ended.model_copy(update={"passages": passages})
    return changed


_SPOILT = {
    "question",
    "title",
    "source",
    "explanation",
    "detail",
    "origin",
    "prompt",
    "output",
    "text",
}


def _spoil(told: Any) -> None:
    if isinstance(told, list | tuple):
        for each in told:
            _spoil(each)
    elif isinstance(told, dict):
        for name, value in told.items():
            if name in _SPOILT and isinstance(value, str):
                told[name] = value + HOSTILE
            elif name == "url":
                told[name] = "javascript:alert(5)"
            else:
                _spoil(value)


def test_a_hostile_passage_is_harmless(
    server: str, traces: Path, visit: Open, tmp_path: Path
) -> None:
    events = hostile(made.run("20260101-000000-hostil"))
    made.written(traces, events)
    (tmp_path / "one.html").write_text(exported_page(run_view(events)), encoding="utf-8")
    run = f"{server}/runs/20260101-000000-hostil"
    names = "run=20260101-000000-hostil"
    for address in (
        run,
        server,
        f"{server}/compare?{names}&{names}",
        (tmp_path / "one.html").as_uri(),
    ):
        watched = visit(address)
        page = watched.page
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert HARMLESS in page.locator("main").evaluate("main => main.textContent")
        assert not set(page.content()) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066")
        active = "main :is(script, img, iframe, style, [onload], [onerror])"
        assert page.locator(active).count() == 0
        for link in page.locator("a[href]").all():
            assert not (link.get_attribute("href") or "").startswith("javascript:")
        for link in page.locator(".passages a, .sources a").all():
            link.click()
        if address == run:
            watched.shot("hostile")
        watched.assert_quiet(address if address.startswith("file:") else server)


def test_the_policy_would_stop_a_script_that_got_in(server: str, visit: Open) -> None:
    watched = visit(server)
    watched.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.owned = true";
            document.body.append(script);
            const image = new Image();
            image.src = "http://127.0.0.1:9/outside.png";
            document.body.append(image);
        }"""
    )
    assert watched.page.evaluate("window.owned") is None
    wait_for(lambda: len(watched.complaints) >= 2)
    assert all("Content Security Policy" in complaint for complaint in watched.complaints)


def wait_for(found: Callable[[], bool]) -> None:
    """Wait until something is so; the test fails where it never is."""
    last = time.monotonic() + 20
    while not found():
        assert time.monotonic() < last
        time.sleep(0.05)


# ── for everyone ──────────────────────────────────────────────────────────────────────────────

NAMELESS = """
() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
  .filter(each => !(each.getAttribute("aria-label") || each.textContent.trim()
    || [...(each.labels || [])].some(label => label.textContent.trim())))
  .map(each => each.outerHTML)
"""
CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = color => {
    const [r, g, b] = [...rgba(color)].slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim()) continue;
    if (element.closest("svg, script, noscript, option")) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push([ratio.toFixed(2), element.outerHTML.slice(0, 120)]);
  }
  return faint;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_and_used_by_everyone(
    scheme: str, server: str, traces: Path, visit: Open
) -> None:
    made.written(traces, made.run())
    made.written(traces, made.run("20260102-000000-abcdef")[:9])
    (traces / "broken.jsonl").write_text("{}\n")
    run = "20260101-000000-abcdef"
    compared = f"compare?a={run}&b=20260102-000000-abcdef"
    for name, path in {"list": "", "run": f"runs/{run}", "compare": compared}.items():
        watched = visit(
            f"{server}/{path}", color_scheme=scheme, viewport={"width": 320, "height": 640}
        )
        page = watched.page
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        watched.shot(f"{name}-{scheme}-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        assert page.evaluate(NAMELESS) == [], name
        assert page.evaluate(CONTRAST) == [], name
        levels = page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4')].map(each => +each.tagName[1])"
        )
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels)), levels
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
        assert len(ids) == len(set(ids))
        assert page.locator("main, header.masthead, nav").count() >= 3
        watched.assert_quiet(server)


def test_a_page_is_used_by_keyboard_alone(server: str, traces: Path, visit: Open) -> None:
    made.written(traces, made.run())
    page = visit(f"{server}/runs/20260101-000000-abcdef").page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    source = page.get_by_role("link", name="Source 1")
    expect(source).to_be_focused()
    # As when the browser tells of the jump to the content late.
    page.evaluate("window.dispatchEvent(new HashChangeEvent('hashchange'))")
    expect(source).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#cite1")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#p1s1') !== null"):
            break
    page.keyboard.press("Space")
    assert page.locator("#p1s1").evaluate("step => step.open")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_link_to_a_step_opens_it_and_paper_shows_all(
    server: str, traces: Path, visit: Open
) -> None:
    made.written(traces, made.run())
    page = visit(f"{server}/runs/20260101-000000-abcdef#p1s1f2").page
    expect(page.locator("#p1s1f2 .prose")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    page.emulate_media(media="print")
    expect(page.locator(".masthead")).to_be_hidden()
