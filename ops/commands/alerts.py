"""hinomi alerts: what the rules said."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import typer
from rich.console import Console

from hinomi.alert import Alert, Level
from hinomi.clock import JST
from hinomi.errors import Damaged
from hinomi.store import Record
from hinomi.text import inert
from ops.opened import opened
from ops.tables import folding


def _readable(records: Iterable[Record]) -> Iterator[Alert]:
    """The alerts; what is damaged is said and hides none of the others."""
    for record in records:
        try:
            yield record.read_as(Alert)
        except Damaged as error:
            typer.echo(str(error), err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def alerts(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        level: Level = typer.Option(Level.LOW, help="この水準以上 / this level and above"),
        limit: int = typer.Option(50, min=1, max=100_000, help="件数 / how many"),
        jsonl: bool = typer.Option(False, "--jsonl", help="1行1件の JSON / one JSON document a line"),
    ) -> None:
        """警報の一覧 / list alerts, newest first."""
        levels = [one.value for one in Level if one.rank >= level.rank]
        with opened(data) as place:
            found = place.records.find("alert", {"level": levels}, order="-last", limit=limit)
        shown = list(_readable(found))
        if jsonl:
            for alert in shown:
                typer.echo(orjson.dumps(alert.model_dump(mode="json")).decode())
            return
        table = folding("時刻 / time", "水準 / level", "題名 / title", "対象 / about", "件数 / events")
        for alert in shown:
            about = ", ".join(value for values in alert.entities.values() for value in values[:1])
            time = f"{alert.last.astimezone(JST):%Y-%m-%d %H:%M}"
            table.add_row(
                time, alert.level, inert(alert.title_ja, 60), inert(about, 60), f"{alert.event_count:,}"
            )
        Console().print(table, markup=False)
