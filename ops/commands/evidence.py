"""hinomi evidence: take a file in, list what is kept, seal it for others, check a sealed ZIP."""

from pathlib import Path

import typer

from hinomi.clock import JST
from hinomi.durable import write_durably
from hinomi.errors import InputError, Where
from hinomi.named import named, reading
from hinomi.text import inert
from ops.opened import opened, operator
from responders.incidents.casefile import numbered
from responders.incidents.evidence import LARGEST, verify_sealed
from responders.roles import OPERATOR

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")
_LARGEST_ZIP = 2 * LARGEST
"""Bytes of a sealed ZIP: it may hold more than one piece, and is checked in memory."""
NUMBER = typer.Argument(..., help="インシデント番号 / incident")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    evidence = typer.Typer(help="証拠 / evidence", no_args_is_help=True)
    app.add_typer(evidence, name="evidence")

    @evidence.command()
    def add(
        number: int = NUMBER,
        file: Path = typer.Argument(..., help="保全するファイル / the file to keep"),
        origin: str = typer.Option(..., "--from", help="どの機器・媒体・人から / machine, medium or person"),
        note: str = typer.Option("", help="覚え書き / note"),
        data: Path = DATA,
    ) -> None:
        """ファイルを証拠として保全する / keep a file as evidence."""
        content = _content(file, LARGEST)
        with opened(data) as place:
            incident = numbered(place.records, number)
            taken = place.desk.cases.take_evidence(
                incident.id, file.name, content, origin=origin, note=note, actor=operator(), roles=[OPERATOR]
            )
        typer.echo(f"#{number} に保全しました。(kept)  {taken.body['sha256']}  {inert(taken.body['name'])}")

    @evidence.command("list")
    def list_(number: int = NUMBER, data: Path = DATA) -> None:
        """一覧と取扱いの記録 / what is kept, with its chain of custody."""
        with opened(data) as place:
            for piece in place.desk.cases.evidence(numbered(place.records, number).id):
                body = piece.body
                typer.echo(f"{body['sha256']}  {body['bytes']:>13,}  {inert(body['name'])}")
                for link in body["custody"]:
                    said = f"{link['at']}  {link['by']}  {link['what']}  {link['note']}"
                    typer.echo(f"    {inert(said)}")

    @evidence.command()
    def seal(
        number: int = NUMBER,
        out: Path = typer.Option(..., "--out", help="書き出す ZIP / ZIP to write"),
        why: str = typer.Option(..., help="渡す相手と理由 / for whom and why"),
        data: Path = DATA,
    ) -> None:
        """目録と封印を付けて ZIP に書き出す / write a sealed ZIP with its manifest."""
        if out.exists():
            raise InputError(
                "同じ名前のファイルがあります。", "there is such a file already", where=Where(out)
            )
        with opened(data) as place:
            incident = numbered(place.records, number)
            content = place.desk.cases.seal(incident.id, why, actor=operator(), roles=[OPERATOR])
            at = place.clock.now().astimezone(JST)
        with named(out, "書き出せません", "cannot be written"):
            write_durably(out, content, mode=0o600)
        typer.echo(f"{at:%Y-%m-%d %H:%M} 封印しました。(sealed)  {out}")

    @evidence.command()
    def verify(
        archive: Path = typer.Argument(..., help="封印された ZIP / sealed ZIP"),
        data: Path = typer.Option(None, "--data", help="監査記録とも照合 / compare with the audit log, too"),
    ) -> None:
        """封印された ZIP が元のままかを確かめる / is a sealed ZIP as it was sealed?"""
        content = _content(archive, _LARGEST_ZIP)
        if data is None:
            problems = verify_sealed(content)
        else:
            with opened(data) as place:
                problems = verify_sealed(content, place.records)
        for problem in problems:
            typer.echo(inert(problem))
        if problems:
            raise typer.Exit(1)
        typer.echo("封印したときのままです。(as it was sealed)")


def _content(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises InputError where it cannot be read or is larger than `most` bytes: before it fills the
    memory."""
    with reading(path):
        if path.stat().st_size > most:
            limit = f"{most >> 20} MiB"
            raise InputError(
                f"ファイルが大きすぎます(上限 {limit})。", f"file is over {limit}", where=Where(path)
            )
        return path.read_bytes()
