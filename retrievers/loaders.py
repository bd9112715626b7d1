"""Reading files as documents: JSONL, Markdown, text, HTML and PDF.

What cannot be read is yielded as a `LoadFailure` among the documents, so that one bad file or line
never costs the others.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from retrievers.documents import Document

if TYPE_CHECKING:
    from bs4.element import PageElement, Tag

SUFFIXES = {".jsonl", ".ndjson", ".md", ".markdown", ".txt", ".text", ".html", ".htm", ".pdf"}
_CONVERT = "convert the file to UTF-8 first"
_ENCRYPTED = "is encrypted: save it without a password first"


class LoadFailure(BaseModel):
    """A file or a line that could not be read, and why, in one sentence."""

    model_config = ConfigDict(frozen=True)

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def load(paths: Iterable[Path]) -> Iterator[Document | LoadFailure]:
    """Yield the documents of files and folders, in a stable order, one at a time.

    A line of JSONL names its own id. Any other file is one document, whose id is its path: from
    the working folder where it lies below that, else absolute. In a folder, what is hidden (its
    name begins with a point) and `node_modules` are passed over.
    """
    for path in paths:
        if path.is_dir():
            inside = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
            for file in sorted(inside):
                if not any(map(_passed_over, file.relative_to(path).parts)):
                    yield from _load_file(file)
        else:
            yield from _load_file(path)


def _passed_over(name: str) -> bool:
    """Tell whether a file or folder holds what tools keep (.git, .venv), and nobody's documents."""
    return name.startswith(".") or name == "node_modules"


def _load_file(path: Path) -> Iterator[Document | LoadFailure]:
    place = _printable(path)
    suffix = path.suffix.lower()
    try:
        if suffix in {".jsonl", ".ndjson"}:
            yield from _jsonl(path, place)
        elif suffix == ".pdf":
            yield _made(path, *_pdf(path))
        elif suffix in {".html", ".htm"}:
            yield _made(path, *_html(_decoded(path)))
        elif suffix in {".md", ".markdown"}:
            yield _made(path, *_markdown(_decoded(path)))
        elif suffix in {".txt", ".text", ""}:
            yield _made(path, "", _decoded(path))
        else:
            kinds = ", ".join(sorted(SUFFIXES))
            yield LoadFailure(place=place, reason=f"files of this kind are not read ({kinds})")
    except UnicodeDecodeError as error:
        reason = f"not valid {error.encoding.upper()} (byte {error.start}): {_CONVERT}"
        yield LoadFailure(place=place, reason=reason)
    except OSError as error:
        yield LoadFailure(place=place, reason=error.strerror or str(error))
    except Exception as error:
        # Parsers raise what they like on a damaged file, which must not cost the others.
        told = " ".join(str(error).split()) or type(error).__name__
        yield LoadFailure(place=place, reason=f"cannot be read ({told})")


def _printable(path: Path) -> str:
    # A file name need not be valid UTF-8; what we keep and print must be.
    return path.as_posix().encode(errors="backslashreplace").decode()


def _made(path: Path, title: str, text: str) -> Document | LoadFailure:
    place = _printable(path)
    if not text.strip():
        return LoadFailure(place=place, reason="holds no text")
    full = path.resolve()
    name = _printable(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)
    title = title or _printable(Path(path.stem))
    return Document(id=name, title=title, text=text, source=name, file=place)


def _encoding(start: bytes) -> str:
    return "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    return data.decode(_encoding(data))


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file as UTF-8, undecoded, so that each can be wrong for itself."""
    with path.open("rb") as file:
        encoding = _encoding(file.read(2))
        file.seek(0)
        if encoding == "utf-16":
            for line in io.TextIOWrapper(file, encoding=encoding):
                yield line.encode()
        else:
            yield from file


def _jsonl(path: Path, place: str) -> Iterator[Document | LoadFailure]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            document = Document.model_validate(row)
        except UnicodeDecodeError:
            reason = f"not valid UTF-8: {_CONVERT}"
        except json.JSONDecodeError as error:
            reason = f"not JSON ({error.msg})"
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        except (ValueError, RecursionError) as error:
            # A number of thousands of digits; brackets nested thousands deep.
            reason = f"not JSON that can be read ({error})"
        else:
            yield document.model_copy(update={"file": f"{place}:{number}"})
            continue
        yield LoadFailure(place=f"{place}:{number}", reason=reason)


_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?\r?\n)?---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)


def _markdown(text: str) -> tuple[str, str]:
    from bs4 import BeautifulSoup
    from markdown_it import MarkdownIt

    title = ""
    if head := _FRONT_MATTER.match(text):
        named = _TITLE.search(head[1] or "")
        title = named[1].strip().strip("\"'") if named else ""
        text = text[head.end() :]
    soup = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(text), "html.parser")
    heading = soup.find(["h1", "h2"])
    return title or (heading.get_text(" ", strip=True) if heading else ""), _blocks(soup)


def _html(text: str) -> tuple[str, str]:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(text, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    heading = soup.find("h1")
    if not title and heading:
        title = heading.get_text(" ", strip=True)
    return title, _blocks(soup.find("main") or soup.find("article") or soup.body or soup)


_LEFT_OUT = frozenset("script style noscript template nav footer title head".split())
_BLOCK = frozenset(
    "address article aside blockquote dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 "
    "header hr li main ol p pre section table tr ul".split()
)


def _blocks(root: Tag) -> str:
    """Return the text, one paragraph a block element, inline elements run on."""
    from bs4.element import CData, NavigableString, Tag

    parts: list[str] = []
    # A stack, because pages nest deeper than calls may. What ends an element waits as a string;
    # line breaks count in preformatted text alone.
    waiting: list[tuple[PageElement | str, bool]] = [(root, False)]
    while waiting:
        node, preformatted = waiting.pop()
        if isinstance(node, Tag):
            if node.name in _LEFT_OUT:
                continue
            border = "\n\n" if node.name in _BLOCK else ""
            parts.append("\n" if node.name == "br" else border)
            waiting.append((" " if node.name in {"td", "th"} else border, False))
            preformatted = preformatted or node.name == "pre"
            waiting.extend((child, preformatted) for child in reversed(node.contents))
        elif isinstance(node, NavigableString):
            # The other kinds of strings are comments, declarations and the like.
            if type(node) in {NavigableString, CData}:
                parts.append(str(node) if preformatted else re.sub(r"\s+", " ", node))
        elif isinstance(node, str):
            parts.append(node)
    lines = [" ".join(line.split()) for line in "".join(parts).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _pdf(path: Path) -> tuple[str, str]:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise OSError(0, _ENCRYPTED)
        pages = [page.extract_text() for page in reader.pages]
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except OSError:
        raise
    except DependencyError as error:
        # AES needs a library that we do not ask for, even where the password is empty.
        raise OSError(0, _ENCRYPTED) from error
    except Exception as error:
        # pypdf lets any kind of error through from the depths of a damaged file.
        raise OSError(0, f"is not a readable PDF ({error})") from error
    # Broken fonts give halves of surrogate pairs, which nothing downstream may hold.
    title, text = (part.encode(errors="replace").decode() for part in (title, "\n\n".join(pages)))
    return title, text
