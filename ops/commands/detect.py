"""hinomi detect: detecting on a machine of its own, once the store is Elasticsearch."""

import asyncio
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def detect(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """警報を作る(複数あれば一つが代表) / make alerts; of several, one leads."""
        from ops.up import run_part

        asyncio.run(run_part("detect", data, config))
