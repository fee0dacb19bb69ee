"""hinomi doctor: is everything well, and what is the next thing to do?"""

from pathlib import Path

import orjson
import typer
from rich.console import Console

from hinomi.text import inert
from ops.opened import opened

_MARKS = {"good": ("○", "green"), "warn": ("△", "yellow"), "bad": ("×", "red")}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
    ) -> None:
        """すべてを点検し、次にすることを示す / look at every part; say what to do next."""
        from ops.doctor.examination import examine
        from ops.doctor.finding import Patient, State
        from ops.rundir import RunDir

        with opened(data, config=config) as place:
            patient = Patient(data, place.settings, place.events, place.records, RunDir.of(data))
            checks = list(examine(patient))
        if json:
            body = [
                {"part": c.part.en, "state": c.state, "ja": c.said.ja, "en": c.said.en, "remedy": c.remedy.en}
                for c in checks
            ]
            typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        else:
            console = Console(soft_wrap=True, highlight=False)
            for check in checks:
                mark, colour = _MARKS[check.state]
                console.print(
                    f"{mark} {inert(check.part.ja)}: {inert(check.said.ja)}", style=colour, markup=False
                )
                console.print(
                    f"    ({inert(check.part.en)}: {inert(check.said.en)})", style="dim", markup=False
                )
                if check.remedy.ja:
                    console.print(f"    → {check.remedy.ja} ({check.remedy.en})", markup=False)
        if any(check.state is State.BAD for check in checks):
            raise typer.Exit(1)
