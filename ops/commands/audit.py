"""hinomi audit: verify the log, show it."""

import re
from pathlib import Path

import typer

from hinomi.errors import InputError
from hinomi.text import inert
from ops.opened import opened
from responders.audit import Head


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="監査記録 / audit log", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.command()
    def verify(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        head: str = typer.Option(
            "", help="別の場所に控えた末尾「番号:ハッシュ」/ NUMBER:HASH, kept elsewhere"
        ),
    ) -> None:
        """改ざん・欠落・並べ替えを調べる / find edited, dropped or reordered entries."""
        noted = _head(head) if head else None
        with opened(data) as place:
            problems = place.desk.audit.verify(noted=noted)
            entries, newest = place.records.count("audit"), place.desk.audit.head()
        for problem in problems:
            typer.echo(f"{problem.ja}\n({problem.en})")
        if problems:
            raise typer.Exit(1)
        typer.echo(f"監査記録 {entries:,} 件に問題はありません。({entries:,} entries, all whole)")
        if newest is not None:
            typer.echo(f"末尾の控え / head to keep elsewhere: {newest.number}:{newest.hash}")

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


def _head(text: str) -> Head:
    """The head as `verify` printed it."""
    number, _, digest = text.partition(":")
    if not number.isascii() or not number.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InputError(
            f"--head「{text}」は「番号:ハッシュ」の形ではありません。", f'--head "{text}" is not NUMBER:HASH'
        )
    return Head(int(number), digest)
