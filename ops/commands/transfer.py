"""hinomi transfer: the sending side of a one-way transfer, on a machine behind the gateway."""

from pathlib import Path

import typer

from hinomi.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    transfer = typer.Typer(
        help="一方向のファイル転送の送り側(LGWAN 境界など) / sender of one-way file transfers",
        no_args_is_help=True,
    )
    app.add_typer(transfer, name="transfer")
    _keygen(transfer)
    _pack(transfer)


def _keygen(transfer: typer.Typer) -> None:
    @transfer.command()
    def keygen(
        folder: Path = typer.Argument(..., help="鍵を書くフォルダ / folder for the keys"),
    ) -> None:
        """署名の鍵を作る。公開鍵だけを受け側に渡す / make a signing key; only its public half goes to the receiver."""
        from collectors.transfer import keys

        private, public = keys.make(folder)
        typer.echo(f"秘密鍵(送り側だけに置く) / private, stays here: {private}")
        typer.echo(f"公開鍵(受け側の listen.*.keys に書く) / public, for the receiver: {public}")
        typer.echo(f"鍵の番号 / key id: {keys.key_id(keys.private_key(private).public_key())}")


def _pack(transfer: typer.Typer) -> None:
    @transfer.command()
    def pack(
        source: list[str] = typer.Argument(
            ..., help="名前=追記されるファイル / NAME=FILE that is appended to"
        ),
        stream: str = typer.Option(..., help="経路の名前 / name of the stream"),
        out: Path = typer.Option(..., help="ゲートウェイが拾うフォルダ / folder that the gateway takes from"),
        key: Path = typer.Option(..., help="署名の秘密鍵 / private key"),
        state: Path = typer.Option(..., help="送信の記録を置くフォルダ / folder of the sender's record"),
        every: float = typer.Option(
            0.0, min=0, help="秒ごとに続ける(0 は一度だけ) / go on every so many seconds"
        ),
        beat: float = typer.Option(
            0.0,
            min=0,
            help="行がなくても、この分数ごとに束を書く / a batch without lines after so many minutes",
        ),
        max_mib: int = typer.Option(8, min=1, max=32, help="1つの束の大きさ / size of a batch"),
    ) -> None:
        """新しい行を、番号と署名の付いた束にする / write new lines as numbered, signed batches."""
        from ops import sending

        sending.run(
            sending.outbox(_sources(source), stream, out, key, state, max_mib << 20), every, beat * 60
        )


def _sources(given: list[str]) -> dict[str, Path]:
    """Raises InputError for what is no NAME=FILE, or a name that no manifest can hold."""
    found: dict[str, Path] = {}
    for one in given:
        name, sign, path = one.partition("=")
        if not sign or not path or name in found:
            raise InputError(
                f"「{one}」は 名前=ファイル の形ではないか、同じ名前が二度あります。",
                f'"{one}" is not NAME=FILE, or its name stands there twice',
            )
        found[name] = Path(path)
    return found
