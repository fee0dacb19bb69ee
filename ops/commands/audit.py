"""hinomi audit: verify the log, show it."""

from pathlib import Path

import typer

from hinomi.text import inert
from ops.opened import opened


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="監査記録 / audit log", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.command()
    def verify(data: Path = typer.Option(..., "--data", help="データフォルダ / data folder")) -> None:
        """改ざん・欠落・並べ替えを調べる / find edited, dropped or reordered entries."""
        with opened(data) as place:
            problems = place.desk.audit.verify()
            entries = place.records.count("audit")
        for problem in problems:
            typer.echo(f"{problem.ja}\n({problem.en})")
        if problems:
            raise typer.Exit(1)
        typer.echo(f"監査記録 {entries:,} 件に問題はありません。({entries:,} entries, all whole)")

    @audit.command()
    def show(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        last: int = typer.Option(50, min=1, max=100_000, help="件数 / how many"),
    ) -> None:
        """新しい順に示す / newest first."""
        with opened(data) as place:
            for record in place.records.find("audit", order="-number", limit=last):
                body = record.body
                typer.echo(
                    inert(
                        f"{record.id} {body['at']} {body['actor']} {body['action']} {body['target']} {body['details']}"
                    )
                )
