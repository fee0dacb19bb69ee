"""hinomi console: the console on a machine of its own, once the store is Elasticsearch."""

import asyncio
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def console(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """画面を出す(いくつでも) / serve the console; any number."""
        from ops.up import run_part

        asyncio.run(run_part("console", data, config))
