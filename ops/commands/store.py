"""hinomi store: prepare a cluster, and see how the store is."""

import json
from pathlib import Path

import typer

from hinomi.text import inert


def register(app: typer.Typer) -> None:
    """Add the command."""
    store = typer.Typer(help="保管庫 / the store", no_args_is_help=True)
    app.add_typer(store, name="store")

    @store.command()
    def init(config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml")) -> None:
        """Elasticsearch に索引のひな型を作る(何度でも実行できる) / make the index templates; may be repeated."""
        from ops.elastic_store import prepare

        typer.echo(prepare(config))

    @store.command()
    def roles(
        namespace: str = typer.Option("default", help="store.elasticsearch.namespace"),
        calls: bool = typer.Option(False, "--calls", help="API の呼び出しとして / as API calls"),
    ) -> None:
        """部分ごとの最小の権限を表示(roles.yml、または API) / the least rights of each part, for roles.yml or the API."""
        from hinomi.store.elastic.roles import as_calls, as_file

        if not calls:
            typer.echo(as_file(namespace), nl=False)
            return
        for path, body in as_calls(namespace):
            typer.echo(f"PUT {path}\n{json.dumps(body)}")

    @store.command()
    def status(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """データセットごとの件数・容量・期間 / events, bytes and days of each dataset."""
        from ops.opened import opened

        with opened(data, config=config) as place:
            for held in place.events.datasets():
                first, last = (f"{time:%Y-%m-%d}" if time else "-" for time in (held.first, held.last))
                typer.echo(
                    f"{inert(held.name):36} {held.events:14,} {held.bytes >> 20:8,} MiB  {first} – {last}"
                )
