"""hinomi search: events by the search language."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import typer
from rich.console import Console
from rich.table import Table

from hinomi import ecs
from hinomi.clock import JST
from hinomi.store import Span
from hinomi.text import inert
from ops.opened import opened

_COLUMNS = ("event.dataset", "event.action", "user.name", "source.ip", "destination.ip")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def search(
        query: str = typer.Argument("", help="例: user.name: t.yamada and event.outcome: failure"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        limit: int = typer.Option(20, min=1, max=10_000, help="件数 / how many"),
        hours: float = typer.Option(0, min=0, help="直近の時間 / only the last hours"),
        top: str = typer.Option("", help="項目の多い値 / most frequent values of a field"),
        jsonl: bool = typer.Option(False, "--jsonl", help="ECS 文書を1行1件 / one ECS document a line"),
    ) -> None:
        """保存したイベントを検索 / search stored events."""
        with opened(data) as place:
            span = Span(place.clock.now() - timedelta(hours=hours)) if hours else None
            if top:
                for value, n in place.events.top(top, query, span=span, limit=limit):
                    typer.echo(f"{n:10,}  {inert(value)}")
                return
            page = place.events.search(query, span=span, limit=limit)
            if jsonl:
                for row in page.rows:
                    sys.stdout.buffer.write(
                        orjson.dumps(ecs.nest(row), default=str, option=orjson.OPT_APPEND_NEWLINE)
                    )
                return
            _show(page.rows, page.total)


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
