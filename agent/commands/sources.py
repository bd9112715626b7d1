"""`hoptree sources`: how far each source is trusted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import UsageError
from agent.settings import load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from agent.sources import Sources


def sources(
    index: Annotated[
        str | None,
        typer.Option("--index", help="Folder of the index, or `es://host:port/corpus`."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SOURCE=TRUST",
            help="Trust a source so far, from 0 (not at all) to 1, whatever is learned.",
        ),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget what was learned and what was set.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the machine form.")] = False,
) -> None:
    """Show how far each source is trusted: the sites and files that passages name as theirs.

    It is learned from how often a source agrees with answers that others decide. What you set
    stands, here or in `hoptree.toml` under `[voting.sources]`.

    Examples:

    - `hoptree sources --index my-index`
    - `hoptree sources --set gossip.example=0.2` trusts it a fifth
    - `hoptree sources --forget` begins anew
    """
    from agent.indexes import open_index
    from agent.sources import file_of, give, read
    from agent.sources import forget as forgotten

    settings = load_settings({"index": index} if index is not None else {})
    asked = dict(_parsed(text) for text in given or [])
    file = file_of(open_index(settings.index, settings))
    if file is None:
        raise UsageError("there is no index yet: index documents first, with `hoptree index`")
    if forget:
        forgotten(file)
    known = give(file, asked) if asked else read(file)
    known = known.model_copy(update={"given": known.given | settings.voting.sources})
    if as_json:
        told = {"trust": known.trusts(), **known.model_dump(mode="json")}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    elif known.trusts():
        from agent.cli import console

        console().print(_table(known))
    else:
        print("Nothing is known of any source yet: all are trusted fully.")


def _parsed(text: str) -> tuple[str, float]:
    source, _, trust = text.rpartition("=")
    try:
        value = float(trust)
    except ValueError:
        value = -1.0
    if not source.strip() or not 0 <= value <= 1:
        raise UsageError(f"--set takes SOURCE=TRUST with a trust from 0 to 1, and not {text!r}")
    return source.strip(), value


def _table(known: Sources) -> Table:
    """Return the sources, the least trusted first."""
    from rich.table import Table

    from agent.show import one_line
    from graph.support.trust import Record

    table = Table()
    table.add_column("source", overflow="fold")
    for name in ("seen", "agreed", "trust"):
        table.add_column(name, justify="right")
    trusts = known.trusts()
    for source in sorted(trusts, key=lambda name: (trusts[name], name)):
        record = known.learned.get(source, Record())
        weighed = record.agreed + record.disagreed
        table.add_row(
            one_line(source),
            str(record.seen),
            f"{100 * record.agreed / weighed:.0f} %" if weighed else "–",
            f"{trusts[source]:.2f}" + (", set by you" if source in known.given else ""),
        )
    return table
