"""hinomi up: the whole service in one process tree."""

import asyncio
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def up(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """火の見を動かす / run the whole service until stopped (Ctrl-C)."""
        from ops.up import run

        asyncio.run(run(data, config))
