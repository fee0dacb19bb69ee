"""The commands of `hinomi rules` that look before something goes live: lint, draft, backtest, convert, coverage."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typer

from hinomi.errors import InputError
from ops import backtested, drafted
from ops.folders import cache_folder, packs_folder
from ops.opened import opened, operator
from rules.in_force import InForce

_JSON = typer.Option(False, "--json", help="JSON で出力 / print JSON")
_FOLDERS = typer.Option(
    [], "--rules", exists=True, help="ルールのフォルダ(既定は付属のルール) / rule folders"
)


def add(rules: typer.Typer) -> None:
    """Add the commands."""
    _lint(rules)
    _draft(rules)
    _backtest(rules)
    _convert(rules)
    _coverage(rules)


def show(body: object) -> None:
    """One JSON document on standard output."""
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2, default=str).decode())


def _lint(rules: typer.Typer) -> None:
    @rules.command()
    def lint(
        folders: list[Path] = typer.Argument(
            ..., exists=True, help="ルールのファイルかフォルダ / rule files or folders"
        ),
        public: bool = typer.Option(
            False, "--public", help="市の決まりは問わない / without our own conventions"
        ),
        strict: bool = typer.Option(False, "--strict", help="注意でも終了コード1 / exit 1 on warnings too"),
        json: bool = _JSON,
    ) -> None:
        """書き方を点検する(sigma-cli の検査と市の決まり) / sigma-cli's checks and our own conventions."""
        from rules import linting

        found = linting.lint(folders, public=public)
        errors = sum(one.level == "error" for one in found)
        if json:
            show([one.as_json() for one in found])
        else:
            typer.echo("\n".join(map(str, found)) or "直すところはありません。 / nothing to say")
            typer.echo(f"誤り / errors {errors:,}  注意 / warnings {len(found) - errors:,}", err=True)
        if errors or (strict and found):
            raise typer.Exit(1)


def _draft(rules: typer.Typer) -> None:
    @rules.command()
    def draft(
        event: str = typer.Argument(
            ..., help="イベントの番号か JSON ファイル(- は標準入力) / an event id, or a JSON file"
        ),
        data: Path = typer.Option(
            None, "--data", help="データフォルダ(番号で探すとき) / data folder, for an id"
        ),
        dataset: str = typer.Option("", help="データセット / dataset, where the event names none"),
        author: str = typer.Option("", help="作者 / author"),
        out: Path = typer.Option(
            None, "--out", help="ルールと試験をここに書く / write the rule and its test here"
        ),
        json: bool = _JSON,
    ) -> None:
        """イベント1件からルールの下書きを作る / draft a Sigma rule out of one event."""
        made = drafted.draft(event, data, dataset, author or operator().removeprefix("cli:"))
        if json:
            show(made.as_json())
        elif out is None:
            typer.echo(made.rule, nl=False)
        else:
            for path in made.write(out):
                typer.echo(f"書きました / wrote {path}")


def _backtest(rules: typer.Typer) -> None:
    @rules.command()
    def backtest(
        asked: list[str] = typer.Argument(..., help="ルールのファイル・フォルダ・id・name / rules"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        days: int = typer.Option(7, min=1, max=400, help="さかのぼる日数 / days to look back"),
        until: datetime = typer.Option(None, formats=["%Y-%m-%d"], help="最後の日(既定は今日) / last day"),
        samples: int = typer.Option(3, min=0, max=100, help="例の件数 / sample events"),
        json: bool = _JSON,
    ) -> None:
        """保存した日々で試す: 何を知らせたはずか / what rules would have raised over stored days."""
        with opened(data) as place:
            told = backtested.backtest(place, asked, days, until, samples)
        if json:
            show(told.as_json())
        else:
            typer.echo("\n".join(told.lines()))


def _convert(rules: typer.Typer) -> None:
    @rules.command()
    def convert(
        asked: list[str] = typer.Argument(..., help="ルールのファイル・id・name / rules"),
        target: str = typer.Option(
            ..., "--target", "-t", help="変換先 / which product: lucene, esql, eql, elastalert, sqlite …"
        ),
        output: str = typer.Option("", "--format", "-f", help="変換先の形 / a format of the target"),
        pipeline: list[str] = typer.Option(
            [], "--pipeline", "-p", help="足す pySigma パイプライン / more pipelines"
        ),
        plain: bool = typer.Option(False, "--plain", help="項目名を読み替えない / keep Sigma's field names"),
        folders: list[Path] = _FOLDERS,
        json: bool = _JSON,
    ) -> None:
        """ほかの製品の検索式にする(sigma-cli) / turn rules into other products' queries."""
        from rules import converting, picked

        chosen = picked.pick(InForce(folders or [packs_folder()]), asked, cache_folder())
        found = converting.convert(chosen, target, output=output, pipelines=pipeline, ours=not plain)
        if json:
            show([one.as_json() for one in found])
            return
        for one in found:
            where = " ".join(f"{column}={','.join(values)}" for column, values in one.where.items())
            typer.echo(f"# {', '.join(one.datasets)} {where}".rstrip(), err=True)
            typer.echo(one.query)


def _coverage(rules: typer.Typer) -> None:
    @rules.command()
    def coverage(
        data: Path = typer.Option(
            None, "--data", help="動いているルールと届いているログで / by what is in force and arrives"
        ),
        folders: list[Path] = _FOLDERS,
        layer: Path = typer.Option(
            None, "--layer", help="ATT&CK Navigator の層を書く / write a Navigator layer"
        ),
        json: bool = typer.Option(False, "--json", help="層を JSON で出力 / print the layer"),
    ) -> None:
        """ATT&CK のどれを見ているか / which of ATT&CK the rules look for, and logs can feed."""
        if data is not None and folders:
            raise InputError(
                "--data か --rules のどちらか一つを指定してください。", "give either --data or --rules"
            )
        found, arriving = _covered(data, folders)
        made = _layer(found, arriving)
        if layer is not None:
            layer.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2))
        if json:
            show(made)
            return
        for one in found:
            typer.echo(f"{one.technique:10} {one.fed:5,} / {one.rules:5,}  {', '.join(one.tactics)}")
        fed = sum(bool(one.fed) for one in found)
        typer.echo(f"技術 / techniques {len(found):,}, ログのあるもの / fed {fed:,}")


def _covered(data: Path | None, folders: list[Path]) -> tuple[list[Any], bool]:
    from hinomi.batch import DEAD_LETTERS, SIGNALS
    from rules.coverage import coverage

    if data is None:
        return coverage(InForce(folders or [packs_folder()]).load(cache_folder())), False
    with opened(data) as place:
        rules = place.settings.rules_in_force(place.data).load(cache_folder())
        arriving = {one.name for one in place.events.datasets()} - {SIGNALS, DEAD_LETTERS}
        return coverage(rules, arriving), True


def _layer(found: list[Any], arriving: bool) -> Any:
    from rules.coverage import layer

    return layer(found, "Hinomi", arriving)
