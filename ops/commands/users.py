"""hinomi users: accounts of the console."""

from pathlib import Path

import typer

from dashboards.users import Users
from ops.opened import opened, operator

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    users = typer.Typer(help="画面の利用者 / users of the console", no_args_is_help=True)
    app.add_typer(users, name="users")

    @users.command("list")
    def list_(data: Path = DATA) -> None:
        """一覧 / list."""
        with opened(data) as place:
            for record in place.records.find("user"):
                body = record.body
                mark = "(停止 / disabled)" if body.get("disabled") else ""
                typer.echo(f"{record.id:20} {body.get('full_name', ''):20} {', '.join(body['roles'])} {mark}")

    @users.command()
    def add(
        name: str,
        data: Path = DATA,
        role: list[str] = typer.Option(["analyst"], help="役割(複数可)/ roles"),
        full_name: str = typer.Option("", help="氏名 / full name"),
    ) -> None:
        """追加(パスワードは尋ねます)/ add; the password is asked for, never an argument."""
        password = typer.prompt("パスワード / password", hide_input=True, confirmation_prompt=True)
        with opened(data, make=True) as place:
            place.desk.audit.append(actor=operator(), action="user.add", target=name, details={"roles": role})
            Users(place.records, place.clock).create(name, password, role, full_name=full_name)
        typer.echo(f"{name} を追加しました。(added)")

    @users.command()
    def password(name: str, data: Path = DATA) -> None:
        """パスワードを変える / change a password; every session of the person ends."""
        new = typer.prompt("新しいパスワード / new password", hide_input=True, confirmation_prompt=True)
        with opened(data) as place:
            place.desk.audit.append(actor=operator(), action="user.password", target=name, details={})
            Users(place.records, place.clock).set_password(name, new)
        typer.echo(f"{name} のパスワードを変えました。(changed)")
