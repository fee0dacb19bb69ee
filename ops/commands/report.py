"""hinomi report: write a report now."""

from datetime import datetime, timedelta
from pathlib import Path

import typer

from hinomi.clock import JST
from ops.opened import opened, operator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def report(
        name: str = typer.Argument("daily-digest", help="報告書 / which report"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
        date: datetime = typer.Option(
            None, formats=["%Y-%m-%d"], help="日(既定: 昨日)/ day (default: yesterday)"
        ),
        out: Path = typer.Option(None, help="出力先(既定: データフォルダの reports)/ where"),
    ) -> None:
        """報告書を HTML と PDF で作る / write a report as HTML and PDF."""
        from ops import reports

        with opened(data, config=config) as place:
            day = date.date() if date else (place.clock.now().astimezone(JST) - timedelta(days=1)).date()
            place.desk.audit.append(
                actor=operator(), action="report.write", target=name, details={"day": day.isoformat()}
            )
            made = reports.write(
                name,
                day,
                place.settings,
                place.clock,
                place.events,
                place.records,
                out or data / "reports",
            )
        for one in made:
            typer.echo(f"{one.path}  sha256:{one.sha256}")
