"""hinomi rules: load them, test them, explain what they say of an event."""

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import typer

from hinomi.errors import InputError
from ops import own_sources, rule_commands, rule_study
from ops.folders import cache_folder

if TYPE_CHECKING:
    from rules.content import Report


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(help="検知ルールの確認と試験 / check and test detection rules", no_args_is_help=True)
    app.add_typer(rules, name="rules")
    _ours(rules)
    rule_commands.add(rules)
    rule_study.add(rules)


def _ours(rules: typer.Typer) -> None:

    @rules.command()
    def check(
        folders: list[Path] = typer.Argument(..., exists=True, help="ルールのフォルダ / rule folders"),
        sources: list[Path] = own_sources.OPTION,
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
        summary: bool = typer.Option(False, "--summary", help="ルールごとの行を省く / only totals"),
    ) -> None:
        """すべて読み込み、動くもの・動かないものと理由を示す / load every rule; say what runs and what does not."""
        from collectors import catalogue
        from rules import content

        catalogue.add_new(sources)
        report = content.check(folders, cache_folder())
        if not (report.loaded or report.unsupported or report.problems):
            raise _nothing(folders)
        if json:
            typer.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
        else:
            if not summary:
                typer.echo("\n".join(fed.line() for fed in report.rules))
            _show(report)
        if report.problems:
            raise typer.Exit(1)

    @rules.command()
    def test(
        folders: list[Path] = typer.Argument(..., exists=True, help="ルールのフォルダ / rule folders"),
        sources: list[Path] = own_sources.OPTION,
    ) -> None:
        """隣の *.test.yml で試す / run the tests beside the rules."""
        from collectors import catalogue
        from rules import content

        catalogue.add_new(sources)
        tested = content.test(folders, cache_folder())
        if not (tested.cases or tested.untested):
            raise _nothing(folders)
        for case in tested.failed:
            typer.echo(f"{case.file}: {case.name}: {case.said}")
        for file in tested.untested:
            typer.echo(f"{file}: 隣に試験がありません / no test beside it")
        typer.echo(f"{len(tested.cases) - len(tested.failed)} passed, {len(tested.failed)} failed")
        if tested.failed:
            raise typer.Exit(1)

    _explain(rules)


def _explain(rules: typer.Typer) -> None:
    @rules.command()
    def explain(
        rule: str = typer.Argument(..., help="ルールの id・name・ファイル / a rule's id, name or file"),
        event: Path = typer.Argument(..., help="イベントの JSON(- は標準入力) / event as JSON, - for stdin"),
        folders: list[Path] = typer.Option(
            [], "--rules", exists=True, help="ルールのフォルダ(既定は付属のルール) / rule folders"
        ),
        dataset: str = typer.Option("", help="データセット / dataset, where the event names none"),
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
    ) -> None:
        """ルールがイベントに一致する・しない理由を示す / say why a rule matches an event or not (exit 1)."""
        from ops import explained

        told = explained.explain(rule, explained.read_event(event), folders, dataset)
        if json:
            typer.echo(orjson.dumps(told.as_json(), option=orjson.OPT_INDENT_2).decode())
        else:
            typer.echo("\n".join(explained.lines(told)))
        if not told.matched:
            raise typer.Exit(1)


def _nothing(folders: list[Path]) -> InputError:
    places = ", ".join(map(str, folders))
    return InputError(f"{places}: ルールがありません。", f"{places}: there is no rule here")


def _show(report: "Report") -> None:
    typer.echo(
        f"読み込み {report.loaded:,}(相関 {report.correlations}、平常値 {report.baselines})"
        f" / loaded {report.loaded:,} rules, {report.correlations} correlations, {report.baselines} baselines"
    )
    typer.echo(f"動かせない {len(report.unsupported):,} / unsupported {len(report.unsupported):,}")
    for file, title, reason in report.unsupported:
        typer.echo(f"  {file}: {title}: {reason}")
    typer.echo(f"供給するソースがない {report.unfed:,} / fed by no source of ours {report.unfed:,}")
    unmapped = sum(bool(fed.unmapped) for fed in report.rules)
    typer.echo(
        f"どれかのソースにない欄を使う {unmapped:,} / using a field that one of its sources never fills {unmapped:,}"
    )
    for dataset, n in report.feeds.items():
        typer.echo(f"  {n:6,}  {dataset}")
    for problem in report.problems:
        typer.echo(problem)
