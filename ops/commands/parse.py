"""hinomi parse: raw messages in, ECS documents out, one a line, in the same order."""

import sys
from pathlib import Path

import typer

from hinomi.text import inert
from ops import own_sources

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def parse(
        source: str = typer.Option(
            ..., "--source", help="ソース名 / source name, such as fortinet.fortigate"
        ),
        sources: list[Path] = own_sources.OPTION,
        messages: Path = typer.Option(
            ..., "--messages", help='1行に {"message": 生の行} / JSON lines of {"message": raw}'
        ),
        timezone: str = typer.Option(
            "UTC", "--timezone", help="時間帯のない時刻の時間帯 / zone of times that name none"
        ),
    ) -> None:
        """生ログを ECS 文書に変換 / turn raw messages into ECS documents ({} = not understood)."""
        from collectors.catalogue import add_new, find
        from collectors.parse import parse_messages
        from hinomi.errors import InputError
        from ops.zones import use

        wrong = 0

        def tell(error: InputError) -> None:
            nonlocal wrong
            wrong += 1
            if wrong <= _SHOWN:
                typer.echo(inert(str(error)), err=True)

        use(timezone)
        add_new(sources)
        parse_messages(find(source), messages, sys.stdout.buffer, tell)
        if wrong:
            typer.echo(
                f"読めなかった行 {wrong:,}、それぞれ {{}} としました / {wrong:,} lines were no message: {{}} each",
                err=True,
            )
            raise typer.Exit(InputError.exit_code)
