"""Files of every kind become documents, and bad ones are named without costing the others."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from bs4 import ParserRejectedMarkup
from pypdf import PageObject, PdfReader, PdfWriter

from retrievers.documents import Document
from retrievers.loaders import LoadFailure, load


def pdf(text: str, title: str = "") -> bytes:
    """Return a real one-page PDF that shows the text."""
    shown = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (%s) >>" % title.encode(),
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 7\n0000000000 65535 f \n%strailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (table, len(body))  # noqa: E501  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one(path: Path) -> Document:
    [document] = load([path])
    assert isinstance(document, Document), document
    return document


def failed(path: Path) -> str:
    [failure] = load([path])
    assert isinstance(failure, LoadFailure), failure
    return str(failure)


# ── JSONL ─────────────────────────────────────────────────────────────────────────────────────


def test_jsonl_keeps_every_field_and_the_line_it_stood_on() -> None:
    row = {
        "id": "v1", "title": "桥", "text": "A bridge.", "url": "https://example.org",
        "source": "site", "metadata": {"a": [1]}, "time_start": 1.5, "time_end": 2,
    }  # fmt: skip
    document = one(write("a.jsonl", "\n" + json.dumps(row, ensure_ascii=False) + "\n"))

    assert document.model_dump() == row
    assert document.file == "a.jsonl:2"


def test_bad_lines_are_named_and_the_others_go_on() -> None:
    lines = [
        b'{"id": "1", "text": "good"}',
        b"{not json",
        b'{"id": "3"}',
        b'["4", "a list"]',
        b'{"id": "5", "text": "\xff"}',
        b'{"id": "6", "text": "\\ud800"}',
        b'{"id": "7", "text": "x", "n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"id": "9", "text": "", "title": "empty"}',
        b'{"id": "10", "text": "good too"}',
    ]
    loaded = list(load([write("a.jsonl", b"\n".join(lines))]))

    good = [d.id for d in loaded if isinstance(d, Document)]
    bad = {f.place: f.reason for f in loaded if isinstance(f, LoadFailure)}
    assert good == ["1", "10"]
    assert list(bad) == [f"a.jsonl:{n}" for n in range(2, 10)]
    assert bad["a.jsonl:2"].startswith("not JSON")
    assert bad["a.jsonl:3"].startswith("text: Field required")
    assert bad["a.jsonl:5"].startswith("not valid UTF-8")
    assert bad["a.jsonl:9"] == "text: must not be empty"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_jsonl_is_read_in_the_encoding_that_its_mark_names(encoding: str) -> None:
    lines = '{"id": "1", "text": "桥"}\r\n{"id": "2", "text": "é"}\r\n'
    loaded = list(load([write("a.jsonl", lines.encode(encoding))]))

    assert [(d.id, d.text) for d in loaded if isinstance(d, Document)] == [("1", "桥"), ("2", "é")]


# ── text, Markdown, HTML ──────────────────────────────────────────────────────────────────────


def test_plain_text_is_kept_as_it_is() -> None:
    document = one(write("notes.txt", "Line one.\n\n  第二行。\n"))

    assert document.text == "Line one.\n\n  第二行。\n"
    assert document.title == "notes"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_text_is_read_in_the_encoding_that_its_mark_names(encoding: str) -> None:
    assert one(write("a.txt", "桥é".encode(encoding))).text == "桥é"


def test_text_in_another_encoding_is_named_with_the_remedy() -> None:
    message = failed(write("a.txt", "大桥".encode("gbk")))

    assert message == "a.txt: not valid UTF-8 (byte 0): convert the file to UTF-8 first"


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("# First *heading*\n\n", "First heading"),
        ("---\ntitle: 'From the front'\ntags: [a]\n---\n\n# Heading\n\n", "From the front"),
        ("---\r\ntitle: Windows\r\n---\r\n\r\n", "Windows"),
        ("---\ntags: []\n---\n## Second level\n\n", "Second level"),
        ("", "page"),
    ],
)
def test_markdown_title_is_the_front_matters_or_the_first_heading(head: str, title: str) -> None:
    document = one(write("page.md", head + "Some **bold** text with a [link](x.md)."))

    assert document.title == title
    assert document.text.endswith("Some bold text with a link.")
    assert "title:" not in document.text


def test_markdown_keeps_lists_tables_and_code_as_text() -> None:
    text = one(write("a.md", "- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n    x = 1\n")).text

    for word in ("one", "two", "a b", "c d", "x = 1"):
        assert word in text
    assert "|" not in text and "-" not in text


def test_html_gives_title_and_main_text_without_scripts_and_navigation() -> None:
    page = """<html><head><title>A &amp; B</title><style>p {}</style></head><body>
    <nav>Home</nav><script>alert(1)</script><p>First <b>para</b>graph.</p><!-- hidden -->
    <p>Second.<br>Line</p><footer>Contact</footer></body></html>"""
    document = one(write("a.html", page))

    assert document.title == "A & B"
    assert document.text == "First paragraph.\n\nSecond.\nLine"


def test_html_that_its_parser_rejects_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def rejecting(*_: object, **__: object) -> None:
        raise ParserRejectedMarkup("an odd mark")

    monkeypatch.setattr("bs4.BeautifulSoup", rejecting)
    assert failed(write("a.html", "<p>odd</p>")).startswith("a.html: cannot be read (")


def test_html_nested_without_end_is_read_or_named() -> None:
    [loaded] = load([write("deep.html", "<div>" * 20_000 + "deep")])

    assert isinstance(loaded, LoadFailure) or loaded.text == "deep"


# ── PDF ───────────────────────────────────────────────────────────────────────────────────────


def test_pdf_gives_its_text_and_title() -> None:
    document = one(write("a.pdf", pdf("The Severn Bridge opened in 1966.", "Bridges")))

    assert (document.title, document.text) == ("Bridges", "The Severn Bridge opened in 1966.")


def test_corrupt_pdf_is_named_and_the_good_ones_are_read() -> None:
    whole = pdf("Readable text.")
    write("pdfs/1.pdf", whole)
    write("pdfs/2-noise.pdf", b"\x00\xff\x13" * 500)
    write("pdfs/3-cut.pdf", whole[:120])
    write("pdfs/4-empty.pdf", b"")
    write("pdfs/5-scrambled.pdf", whole.replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"))
    write("pdfs/6.pdf", whole)
    loaded = list(load([Path("pdfs")]))

    good = [d.id for d in loaded if isinstance(d, Document)]
    bad = [Path(f.place).name for f in loaded if isinstance(f, LoadFailure)]
    assert good == ["pdfs/1.pdf", "pdfs/6.pdf"]
    assert bad == ["2-noise.pdf", "3-cut.pdf", "4-empty.pdf", "5-scrambled.pdf"]


def test_encrypted_pdf_is_named_with_the_remedy() -> None:
    write("plain.pdf", pdf("Secret."))
    writer = PdfWriter(clone_from=PdfReader("plain.pdf"))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write("locked.pdf")

    assert failed(Path("locked.pdf")).endswith("save it without a password first")


def test_pdf_under_a_newer_encryption_is_named_with_the_remedy() -> None:
    lock = b" /ID [<00> <00>] /Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 "
    lock += b"/O <%s> /U <%s> /OE <%s> /UE <%s> " % (b"00" * 48, b"00" * 48, b"00" * 32, b"00" * 32)
    lock += b"/Perms <%s> /CF << /StdCF << /CFM /AESV3 /Length 32 >> >> " % (b"00" * 16)
    lock += b"/StmF /StdCF /StrF /StdCF >>"
    path = write("a.pdf", pdf("Secret.").replace(b"/Info 6 0 R", b"/Info 6 0 R" + lock))

    assert failed(path).endswith("save it without a password first")


@pytest.mark.parametrize("error", [NotImplementedError, IndexError, zlib.error])
def test_pdf_that_breaks_its_parser_is_named(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(*_: object) -> str:
        raise error("odd stream")

    monkeypatch.setattr(PageObject, "extract_text", broken)

    assert failed(write("a.pdf", pdf("Text."))) == "a.pdf: is not a readable PDF (odd stream)"


# ── folders and names ─────────────────────────────────────────────────────────────────────────


def test_folder_is_walked_in_a_stable_order_and_strange_files_are_passed_over() -> None:
    for name in ("d/b.txt", "d/a/z.md", "d/a.html", "d/picture.png", "d/c/x.TXT"):
        write(name, "Text.")

    ids = [d.id for d in load([Path("d")]) if isinstance(d, Document)]
    assert ids == ["d/a/z.md", "d/a.html", "d/b.txt", "d/c/x.TXT"]


def test_what_tools_keep_in_a_folder_is_passed_over_unless_it_is_given_itself() -> None:
    for name in (".venv/LICENSE.txt", "a/.git/x.txt", "node_modules/b/README.md", "a/.b.txt"):
        write(name, "Text.")
    write("a/b.txt", "Text.")

    assert [d.id for d in load([Path()]) if isinstance(d, Document)] == ["a/b.txt"]
    assert [d.id for d in load([Path(".venv")]) if isinstance(d, Document)] == [".venv/LICENSE.txt"]


def test_files_of_one_name_in_two_folders_are_two_documents() -> None:
    paths = [write("a/README.md", "One."), write("b/README.md", "Two.")]

    assert [d.id for d in load(paths) if isinstance(d, Document)] == ["a/README.md", "b/README.md"]


def test_file_has_one_id_however_it_is_named(folder: Path) -> None:
    path = write("a/b.txt", "Text.")
    ways = [path, folder / path, Path("a/../a/b.txt"), Path("./a")]

    assert {one(way).id for way in ways} == {"a/b.txt"}


def test_file_outside_the_working_folder_is_named_in_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.txt", "Text.").resolve()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")

    assert one(path).id == path.as_posix()


def test_missing_empty_and_unknown_files_are_named() -> None:
    assert failed(Path("none.txt")) == "none.txt: No such file or directory"
    assert failed(write("blank.txt", " \n")) == "blank.txt: holds no text"
    assert "files of this kind are not read" in failed(write("a.png", b"\x89PNG"))


def test_file_name_that_is_not_utf8_is_no_obstacle() -> None:
    path = Path("caf\udce9.txt")
    path.write_text("Text.")

    assert one(path).id == "caf\\udce9.txt"
    assert one(path).model_dump_json()
