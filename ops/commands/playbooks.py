"""hinomi playbooks: what there is, what is proposed, deciding, undoing."""

from pathlib import Path

import typer

from dashboards.users import Users
from hinomi.errors import InputError
from hinomi.text import inert
from ops.opened import Opened, opened
from responders.playbooks.playbook import catalogue, lint
from responders.playbooks.run import KIND, Run

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")
AS = typer.Option(..., "--as", help="アカウント(パスワードを尋ねます)/ account; asks for its password")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    playbooks = typer.Typer(help="プレイブック / playbooks", no_args_is_help=True)
    app.add_typer(playbooks, name="playbooks")

    @playbooks.command("list")
    def list_() -> None:
        """備えてあるもの / what there is."""
        for playbook in catalogue().values():
            typer.echo(
                f"{playbook.playbook:20} {playbook.title_ja} / {playbook.title_en}  [{playbook.approver}]"
            )

    @playbooks.command("lint")
    def lint_(folder: Path = typer.Argument(..., exists=True)) -> None:
        """書き方を確かめる / check playbook files."""
        if not any(folder.glob("*.yml")):
            raise InputError(
                f"{folder}: プレイブック(*.yml)がありません。", f"{folder}: there is no playbook (*.yml) here"
            )
        problems = lint(folder)
        for problem in problems:
            typer.echo(str(problem))
        if problems:
            raise typer.Exit(1)
        typer.echo("問題ありません。(no problem)")

    @playbooks.command()
    def runs(data: Path = DATA) -> None:
        """計画と実行の状態 / proposed and running."""
        with opened(data) as place:
            for record in place.records.find(KIND, order="-created"):
                run = Run.model_validate(record.body)
                kind = "予行 dry run" if run.dry_run else "実行 armed"
                typer.echo(f"{run.id}  {run.state:10} {kind:12} {inert(run.title_ja)}")
                for step in run.steps:
                    typer.echo(
                        f"    {step.index}. [{step.state}] {inert(step.title_ja)} {inert(step.result_ja)}"
                    )

    @playbooks.command()
    def approve(run_id: str, data: Path = DATA, account: str = AS, note: str = typer.Option("")) -> None:
        """計画を承認 / approve a plan."""
        with opened(data) as place:
            name, roles = _signed_in(place, account)
            place.desk.approve(run_id, actor=name, roles=roles, note=note)
        typer.echo("承認しました。(approved)")

    @playbooks.command()
    def deny(run_id: str, data: Path = DATA, account: str = AS, note: str = typer.Option("")) -> None:
        """計画を却下 / deny a plan."""
        with opened(data) as place:
            name, roles = _signed_in(place, account)
            place.desk.deny(run_id, actor=name, roles=roles, note=note)
        typer.echo("却下しました。(denied)")

    @playbooks.command()
    def undo(run_id: str, data: Path = DATA, account: str = AS, note: str = typer.Option("")) -> None:
        """元に戻す / undo a finished run."""
        with opened(data) as place:
            name, roles = _signed_in(place, account)
            place.desk.undo(run_id, actor=name, roles=roles, note=note)
        typer.echo("元に戻す依頼を記録しました。(undo asked for)")


def _signed_in(place: Opened, account: str) -> tuple[str, list[str]]:
    """Who decides must show that it is them: the same password as in the console."""
    password = typer.prompt("パスワード / password", hide_input=True)
    user = Users(place.records, place.clock).verify(account, password)
    if user is None:
        raise InputError("アカウントかパスワードが違います。", "wrong account or password")
    return user.name, list(user.roles)
