"""Reading files as documents: JSONL, Markdown, text, HTML and PDF.

What cannot be read is yielded as a `LoadFailure` among the documents, so that one bad file or line
never costs the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from retrievers.documents import Document

SUFFIXES = {".jsonl", ".ndjson", ".md", ".markdown", ".txt", ".text", ".html", ".htm", ".pdf"}


class LoadFailure(BaseModel):
    """A file or a line that could not be read, and why, in one sentence."""

    model_config = ConfigDict(frozen=True)

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def load(paths: Iterable[Path]) -> Iterator[Document | LoadFailure]:
    """Yield the documents of files and folders, in a stable order, one at a time."""
    for path in paths:
        if path.is_dir():
            inside = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
            for file in sorted(inside):
                yield from _load_file(file, file.relative_to(path).as_posix())
        else:
            yield from _load_file(path, path.name)


def _load_file(path: Path, name: str) -> Iterator[Document | LoadFailure]:
    suffix = path.suffix.lower()
    try:
        if suffix in {".jsonl", ".ndjson"}:
            yield from _jsonl(path)
        elif suffix == ".pdf":
            yield from _made(path, name, *_pdf(path))
        elif suffix in {".html", ".htm"}:
            yield from _made(path, name, *_html(_decoded(path)))
        elif suffix in {".md", ".markdown"}:
            yield from _made(path, name, *_markdown(_decoded(path)))
        elif suffix in {".txt", ".text", ""}:
            yield from _made(path, name, path.stem, _decoded(path))
        else:
            kinds = ", ".join(sorted(SUFFIXES))
            yield LoadFailure(place=str(path), reason=f"files of this kind are not read ({kinds})")
    except UnicodeDecodeError as error:
        reason = f"not valid UTF-8 (byte {error.start}): convert the file first"
        yield LoadFailure(place=str(path), reason=reason)
    except OSError as error:
        yield LoadFailure(place=str(path), reason=error.strerror or str(error))


def _made(path: Path, name: str, title: str, text: str) -> Iterator[Document | LoadFailure]:
    if text.strip():
        yield Document(id=name, title=title, text=text, source=name, file=str(path))
    else:
        yield LoadFailure(place=str(path), reason="holds no text")


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return data.decode(encoding)


def _jsonl(path: Path) -> Iterator[Document | LoadFailure]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                document = Document.model_validate(row)
            except UnicodeDecodeError:
                reason = "not valid UTF-8: convert the file first"
            except json.JSONDecodeError as error:
                reason = f"not JSON ({error.msg})"
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the line"
                reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
            else:
                yield document.model_copy(update={"file": str(path)})
                continue
            yield LoadFailure(place=f"{path}:{number}", reason=reason)


def _markdown(text: str) -> tuple[str, str]:
    from bs4 import BeautifulSoup
    from markdown_it import MarkdownIt

    title = ""
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        head, text = text[4:].split("\n---\n", 1)
        named = [line[6:].strip(" \"'") for line in head.splitlines() if line.startswith("title:")]
        title = named[0] if named else ""
    soup = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(text), "html.parser")
    heading = soup.find(["h1", "h2"])
    return title or (heading.get_text(" ", strip=True) if heading else ""), _blocks(soup)


def _html(text: str) -> tuple[str, str]:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(text, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for tag in soup(["script", "style", "noscript", "template", "nav", "footer", "title"]):
        tag.decompose()
    heading = soup.find("h1")
    if not title and heading:
        title = heading.get_text(" ", strip=True)
    return title, _blocks(soup.find("main") or soup.find("article") or soup.body or soup)


def _blocks(root: object) -> str:
    """Return the text, one paragraph a block element, inline elements run on."""
    from bs4 import Tag

    assert isinstance(root, Tag)
    for tag in root.find_all(
        ["p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "section"]
    ):
        tag.append("\n\n")
    for tag in root.find_all(["td", "th"]):
        tag.append("\t")
    for tag in root.find_all("br"):
        tag.replace_with("\n")
    lines = (" ".join(line.split()) for line in root.get_text().splitlines())
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(p.strip() for p in paragraphs if p.strip())


def _pdf(path: Path) -> tuple[str, str]:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise OSError(0, "is encrypted: save it without a password first")
        pages = [page.extract_text() for page in reader.pages]
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except OSError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # pypdf lets many kinds of errors through from the depths of a damaged file.
        raise OSError(0, f"is not a readable PDF ({error})") from error
    return title or path.stem, "\n\n".join(pages)
