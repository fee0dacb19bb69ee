"""Tables for a terminal of any width: Japanese has no spaces to break at, so cells fold within a word and lose nothing."""

from rich.table import Column, Table


def folding(*headings: str, title: str | None = None) -> Table:
    """A table whose cells go on in the next line where a word does not fit; rich cuts such words with "…" by default."""
    columns = [Column(heading, overflow="fold") for heading in headings]
    return Table(*columns, title=title, title_justify="left")
