"""hinomi collect: collecting on a machine of its own, once the store is Elasticsearch."""

import asyncio
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def collect(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """受信・解析・照合して保管庫へ送る / receive, parse, match and store."""
        from ops.up import run_part

        asyncio.run(run_part("collect", data, config))
