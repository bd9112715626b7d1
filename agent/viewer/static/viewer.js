// Everything works without this file. It replaces the parts of a run as they change, opens what a
// link leads to, and opens all for printing.
"use strict";

function reveal(id) {
  const step = (/^p\d+s\d+/.exec(id) || [id])[0];
  const target = id && (document.getElementById(id) || document.getElementById(step));
  if (!target) return;
  for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  target.scrollIntoView({ block: "nearest" });
  // The event comes after the jump: a person may have gone on with Tab, and keeps the focus.
  const at = document.activeElement;
  if (at && at !== document.body && at.hash !== location.hash) return;
  const focus = target.tagName === "DETAILS" ? target.querySelector("summary") : target;
  if (focus.tabIndex >= 0 || focus.hasAttribute("tabindex")) focus.focus({ preventScroll: true });
}

function onHash() {
  reveal(decodeURIComponent(location.hash.slice(1)));
}

// Put a part in its place: what was open stays open, and what had the focus keeps it.
function place(id, html) {
  const old = document.getElementById(id);
  const made = document.createElement("template");
  made.innerHTML = html;
  const part = made.content.firstElementChild;
  if (!part) return;
  if (!old) {
    const paths = document.getElementById("paths");
    part.classList.add("grown");
    if (paths) paths.append(part);
    return;
  }
  const known = new Map([...old.querySelectorAll("details")].map((each) => [each.id, each.open]));
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const within = focused && focused.closest("[id]");
  old.replaceWith(part);
  for (const each of part.querySelectorAll("details")) each.open = known.get(each.id) ?? each.open;
  if (within) {
    const again = document.getElementById(within.id);
    const heir = again && (again.tagName === "DETAILS" ? again.querySelector("summary") : again);
    if (heir) heir.focus({ preventScroll: true });
  }
}

// The evidence of a step that the page does not hold: fetched when the step is opened.
async function fetchEvidence(details) {
  const later = details.querySelector(":scope > .inside > .later");
  if (!later) return;
  const answer = await fetch(later.querySelector("a").href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  later.replaceWith(...page.getElementById("evidence").childNodes);
}

function follow(article) {
  const now = document.getElementById("now");
  const source = new EventSource(article.dataset.live);
  source.addEventListener("part", (event) => {
    const part = JSON.parse(event.data);
    place(part.id, part.html);
  });
  source.addEventListener("now", (event) => {
    if (now.textContent !== event.data) now.textContent = event.data;
  });
  source.addEventListener("end", (event) => {
    source.close();
    article.removeAttribute("data-live");
    now.textContent = event.data;
  });
}

window.addEventListener("hashchange", onHash);
document.addEventListener("toggle", (event) => event.target.open && fetchEvidence(event.target), true);
onHash();

const live = document.querySelector("[data-live]");
if (live) follow(live);

let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const each of opened) each.open = true;
});
window.addEventListener("afterprint", () => {
  for (const each of opened) each.open = false;
});
