"""hinomi replay: dead letters once more, after their source was mended."""

from pathlib import Path

import typer

from ops.opened import opened, operator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def replay(
        source: str = typer.Option(..., "--source", help="ソース名 / source name"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """解析できなかった行を取り込み直す / read lines again that were not understood."""
        from ops import replay as replaying

        with opened(data, config=config) as place:
            place.desk.audit.append(actor=operator(), action="replay", target=source, details={})
            done = replaying.replay(source, place.settings, place.events, place.records, place.clock)
        typer.echo(
            f"{done.letters:,} 行のうち {done.understood:,} 行を取り込みました。(of {done.letters:,} lines)"
        )
