"""hinomi replay: dead letters once more, after their source was mended."""

from pathlib import Path

import typer

from ops.opened import opened, operator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def replay(
        source: str = typer.Option(
            ..., "--source", help="読むソース名、または auto / the source to read with, or auto"
        ),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
        of: list[str] = typer.Option(
            [],
            "--from",
            help="このソースが読めなかった行(既定は --source のものと、ソース不明のもの) / lines that this source refused",
        ),
        origin: str = typer.Option("", "--origin", help="この受け口の行だけ / only lines of this listener"),
    ) -> None:
        """解析できなかった行を取り込み直す / read lines again that were not understood."""
        from ops import replay as replaying

        with opened(data, config=config) as place:
            details = {"from": of, "origin": origin}
            place.desk.audit.append(actor=operator(), action="replay", target=source, details=details)
            wanted = replaying.Wanted(tuple(of), origin)
            done = replaying.replay(
                source, place.settings, place.events, place.records, place.clock, wanted, place.data
            )
        typer.echo(
            f"{done.letters:,} 行のうち {done.understood:,} 行を取り込みました。(of {done.letters:,} lines)"
        )
