"""hinomi search: events by the search language."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from hinomi import ecs, exported
from hinomi.clock import JST
from hinomi.durable import replaced
from hinomi.errors import InputError
from hinomi.named import named, writing
from hinomi.store import Span
from hinomi.store.unheld import unheld
from hinomi.text import inert
from ops.opened import Opened, opened

_MOST_BARS = 2_000
_NARROWEST = 1 / 3600
"""Hours."""
_WIDEST = 1_000_000
"""Hours: more than a century."""
_COLUMNS = ("event.dataset", "event.action", "user.name", "source.ip", "destination.ip")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def search(
        query: str = typer.Argument("", help="例: user.name: t.yamada and event.outcome: failure"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        limit: int = typer.Option(20, min=1, max=10_000, help="件数 / how many"),
        hours: float = typer.Option(0, callback=_hours, help="直近の時間 / only the last hours"),
        top: str = typer.Option("", help="項目の多い値 / most frequent values of a field"),
        jsonl: bool = typer.Option(False, "--jsonl", help="ECS 文書を1行1件 / one ECS document a line"),
        bars: float = typer.Option(
            0, "--bars", callback=_hours, help="この時間ごとの件数 / counts by so many hours"
        ),
        export: Path = typer.Option(
            None, help="全件をファイルへ(.csv か .ndjson) / all that match, to a file"
        ),
    ) -> None:
        """保存したイベントを検索 / search stored events."""
        with opened(data) as place:
            span = Span(_ago(place.clock.now(), hours)) if hours else None
            if top:
                for value, n in place.events.top(top, query, span=span, limit=limit):
                    typer.echo(f"{n:10,}  {inert(value)}")
                return
            if bars:
                _show_bars(place, query, span, timedelta(hours=max(bars, _NARROWEST)))
                return
            if export is not None:
                typer.echo(f"{_export(place, query, span, export):,} 件 / events → {export}")
                return
            page = place.events.search(query, span=span, limit=limit)
            if not page.total:
                for one in unheld(place.events, query):
                    typer.echo(f"{one.ja} / {one.en}", err=True)
            if jsonl:
                for row in page.rows:
                    sys.stdout.buffer.write(
                        orjson.dumps(ecs.nest(row), default=str, option=orjson.OPT_APPEND_NEWLINE)
                    )
                return
            _show(page.rows, page.total)


def _hours(given: float) -> float:
    """Raises InputError for no number of hours (nan), one below zero, or more than any log goes back."""
    if not 0 <= given <= _WIDEST:
        raise InputError(
            f"時間は 0 から {_WIDEST} までで指定してください。", f"hours must be from 0 to {_WIDEST}"
        )
    return given


def _ago(now: datetime, hours: float) -> datetime:
    """So many hours before now; before the first year there is nothing."""
    return now - timedelta(hours=min(hours, now.year * 8_700))


def _show_bars(place: Opened, query: str, span: Span | None, width: timedelta) -> None:
    """A line a bar, from the first event that matches (or the span's start) to now; at most 2,000."""
    first = place.events.search(query, span=span, limit=1, oldest_first=True).rows
    if not first:
        return
    start = span.start if span is not None and span.start is not None else first[0]["@timestamp"]
    end = place.clock.now()
    if (end - start) / width > _MOST_BARS:
        raise InputError(
            "期間が長すぎます。--bars を大きくしてください。", "too many bars: make --bars larger"
        )
    found = place.events.histogram(query, span=Span(start, end), interval=width)
    most = max((bar.count for bar in found), default=0) or 1
    for bar in found:
        typer.echo(
            f"{bar.start.astimezone(JST):%Y-%m-%d %H:%M} {bar.count:10,} {'█' * round(40 * bar.count / most)}"
        )


def _export(place: Opened, query: str, span: Span | None, path: Path) -> int:
    """Everything that matches now, to a file that only its owner may read; how many."""
    if path.suffix not in {".csv", ".ndjson"}:
        raise InputError(
            "ファイル名は .csv か .ndjson で終えてください。", "the name must end in .csv or .ndjson"
        )
    form = exported.as_csv if path.suffix == ".csv" else exported.as_ndjson
    number = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal number
        with named(place.data, "保存したイベントを読めません", "the stored events cannot be read"):
            for page in place.events.pages(query, span=span):
                number += len(page)
                yield from page

    with writing(path), replaced(path, mode=0o600) as file:
        file.writelines(form(rows()))
    return number


def _show(rows: list[dict[str, object]], total: int) -> None:
    """A table as wide as the terminal; columns that no row fills are left out, times are those of Japan."""
    columns = [name for name in _COLUMNS if any(row.get(name) for row in rows)]
    table = Table(title=f"{total:,} 件 / events", title_justify="left")
    table.add_column("@timestamp", no_wrap=True)
    for name in columns:
        table.add_column(name, overflow="fold")
    table.add_column("event.original", ratio=1)
    for row in rows:
        cells = [inert(str(row.get(name) or ""), 60) for name in columns]
        table.add_row(_local(row["@timestamp"]), *cells, inert(str(row.get("event.original", "")), 120))
    Console().print(table, markup=False)


def _local(time: object) -> str:
    return f"{time.astimezone(JST):%m-%d %H:%M:%S}" if isinstance(time, datetime) else str(time)
