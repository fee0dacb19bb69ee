"""hinomi respond: responding on a machine of its own, once the store is Elasticsearch."""

import asyncio
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def respond(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """通知・対応・定期処理(複数あれば一つが代表) / call people, run playbooks and jobs; of several, one leads."""
        from ops.up import run_part

        asyncio.run(run_part("respond", data, config))
