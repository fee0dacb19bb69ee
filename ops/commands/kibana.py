"""hinomi kibana: data views, searches and dashboards for those who run Elastic."""

from pathlib import Path

import typer

from hinomi.errors import InputError, Where
from hinomi.named import writing
from hinomi.secret import Secret


def register(app: typer.Typer) -> None:
    """Add the commands."""
    kibana = typer.Typer(
        help="Kibana のデータビュー・検索・ダッシュボード / Kibana objects", no_args_is_help=True
    )
    app.add_typer(kibana, name="kibana")

    @kibana.command("export")
    def export(
        out: Path = typer.Argument(..., help="書き出すファイル(.ndjson)/ the file to write"),
        language: str = typer.Option("ja", help="言語 ja | en / language"),
        pattern: str = typer.Option("logs-*", help="索引 / index pattern"),
    ) -> None:
        """NDJSON に書き出す / write them as NDJSON."""
        from dashboards import kibana as objects

        content = objects.export("en" if language == "en" else "ja", pattern)
        with writing(out):
            out.write_bytes(content)
        typer.echo(out)

    @kibana.command("import")
    def import_(
        address: str = typer.Argument(..., help="Kibana のアドレス / where Kibana is"),
        key: str = typer.Option(..., help="API キーの参照(env:名前 など)/ reference of the API key"),
        language: str = typer.Option("ja", help="言語 ja | en / language"),
        pattern: str = typer.Option("logs-*", help="索引 / index pattern"),
        ca: Path = typer.Option(None, help="認証局の証明書 / CA certificate"),
    ) -> None:
        """Kibana に入れる(同じものは置き換える)/ put them into a Kibana, replacing the same ones."""
        from dashboards import kibana as objects
        from hinomi.trust import context

        content = objects.export("en" if language == "en" else "ja", pattern)
        n = objects.send(address, _secret(key).reveal(), content, verify=context(ca))
        typer.echo(f"{n} 件を入れました / objects imported")


def _secret(reference: str) -> Secret:
    """Raises InputError for what is no reference; it is not repeated, as it may be the key itself."""
    try:
        return Secret(reference)
    except ValueError as error:
        ja, _, en = str(error).partition("|")
        raise InputError(ja, en, where=Where(key="--key")) from None
