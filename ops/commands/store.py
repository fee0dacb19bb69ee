"""hinomi store: prepare a cluster, and see how the store is."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer


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
    def migrate(
        data: Path = typer.Option(
            ..., "--data", help="内蔵の保管庫があるデータフォルダ / data folder to move"
        ),
        config: Path = typer.Option(
            ..., "--config", help="移行先を書いた設定ファイル / hinomi.yaml with the cluster"
        ),
    ) -> None:
        """内蔵の保管庫から Elasticsearch へ移す(中断しても続きから) / from embedded to Elasticsearch; goes on where it stopped."""
        from ops.migrating import migrate

        migrate(data, config)

    @store.command()
    def roles(
        namespace: str = typer.Option("default", help="索引の名前空間 / store.elasticsearch.namespace"),
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
        """データセットごとの件数・容量・期間・保存期間と、満杯までの日数 / what is held, how long and why, and when the disk is full."""
        from ops.store_status import show

        show(data, config)

    @store.command()
    def hold(
        incident: int = typer.Argument(..., help="インシデントの番号 / number of the incident"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        reason: str = typer.Option(..., help="理由 / why"),
        end: bool = typer.Option(False, "--end", help="保存指定を終える / end the hold"),
    ) -> None:
        """インシデントの証拠を、期限を過ぎても消さないよう指定する / keep an incident's evidence whatever its age."""
        from ops.opened import opened, operator
        from responders.incidents import holds

        with opened(data) as place:
            change = holds.end if end else holds.begin
            change(place.records, place.clock, incident, by=operator(), reason=reason)
            typer.echo(f"#{incident}: {'終了 / ended' if end else '保存します / held'}")

    @store.command()
    def hunt(
        rule: Path = typer.Argument(..., exists=True, help="Sigma ルールのファイル / rule file"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        days: int = typer.Option(90, min=1, help="何日前から / how many days back"),
        tell: bool = typer.Option(False, "--tell", help="警報にする / make alerts of what is found"),
    ) -> None:
        """過去の記録を、新しいルールで Elasticsearch の中で調べる / search past months inside Elasticsearch by a new rule."""
        from ops.inside_hunt import hunt as run

        run(rule, data, days, tell)

    @store.command()
    def snapshot(
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml of a cluster"),
        data: Path = typer.Option(
            None, "--data", help="内蔵の保管庫のデータフォルダ / data folder of an embedded store"
        ),
        folder: Path = typer.Option(
            None,
            help="置き場(Elasticsearch では全ノードの path.repo の下) / where to; on a cluster under path.repo",
        ),
    ) -> None:
        """イベントと記録の写しを作る。動いたままでよい / copy events and records; the tower may be running."""
        from ops import snapshotting

        if data is None:
            typer.echo(snapshotting.make(config, folder))
            return
        name, damaged = snapshotting.copied(data, folder)
        typer.echo(name)
        _told("保管庫に壊れたファイルがあります / files of the store are damaged", damaged)

    @store.command()
    def verify(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder of an embedded store"),
    ) -> None:
        """内蔵の保管庫のすべてのファイルを読み、書いたときのハッシュと照合する / read every file, compare it with its hash."""
        from ops.repairing import Verified
        from ops.repairing import verify as read

        for found in read(data):
            if isinstance(found, Verified):
                size = f"{found.files:,} 個 / files, {found.bytes >> 20:,} MiB"
                typer.echo(f"照合 / verified: {size}; 異常 / damaged: {found.damaged}")
                if found.damaged:
                    raise typer.Exit(1)
            else:
                typer.echo(f"× {found}")

    @store.command()
    def repair(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder of an embedded store"),
        folder: Path = typer.Option(..., help="写しの置き場 / where the copies are"),
        give_up: str = typer.Option(
            "", "--give-up", help="どの写しにもないものを外す理由 / why to give up what no copy has"
        ),
    ) -> None:
        """壊れたファイルを写しから戻す。動いたままでよい / bring damaged files back from copies; the tower may be running."""
        from ops.repairing import repair as mend

        done = list(mend(data, folder, give_up))
        for said, answered in done:
            typer.echo(f"{'○' if answered else '×'} {said}")
        if not done:
            typer.echo("壊れたファイルはありません / nothing is damaged")
        if not all(answered for _, answered in done):
            raise typer.Exit(1)

    @store.command()
    def restore(
        name: str = typer.Argument("", help="名前。なければ一覧 / name; without one: the list"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml of a cluster"),
        data: Path = typer.Option(None, "--data", help="戻す先の空のフォルダ / empty folder to restore into"),
        folder: Path = typer.Option(
            None,
            help="写しの置き場。クラスタでは、自身の置き場でないとき / where the copies are, if not where a cluster has its own",
        ),
    ) -> None:
        """写しを、空の namespace か空のフォルダに戻して件数を照合する / restore into an empty namespace or folder."""
        from ops import snapshotting

        if data is None and (config is not None or folder is None):
            typer.echo(snapshotting.restore(config, name, folder))
            return
        said, lacking = snapshotting.copies(folder, name, data)
        typer.echo(said)
        _told("写しを作ったとき既に失われていたもの / lost before the copy was made", lacking)


def _told(heading: str, damaged: Sequence[object]) -> None:
    """What is damaged, to whoever reads errors; the command has failed then."""
    if damaged:
        typer.echo(f"{heading}:", err=True)
        for part in damaged:
            typer.echo(f"× {part}", err=True)
        raise typer.Exit(1)
