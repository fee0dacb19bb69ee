"""hinomi users: accounts of the console."""

from pathlib import Path

import typer

from dashboards.users import Users
from hinomi.errors import InputError
from ops import asking
from ops.opened import opened, operator, remembered
from ops.settings import Settings, read_settings

NAME = typer.Argument(..., help="アカウントの名前 / name of the account")
DATA = typer.Option(..., "--data", help="データフォルダ / data folder")
CONFIG = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml")
ORGANIZATION = typer.Option([], "--organization", help="見える組織だけに限る(複数可)/ sees only these")
EVERYTHING = typer.Option(False, "--all", help="すべての組織 / every organisation")


def known(settings: Settings, organizations: list[str]) -> list[str]:
    """The organisations as given. Raises InputError for one that the configuration does not know."""
    for name in organizations:
        if name not in settings.organizations:
            raise InputError(
                f"「{name}」という組織は設定の organizations にありません。",
                f'"{name}" is not one of the organizations of the configuration',
            )
    return organizations


def chosen(organizations: list[str], everything: bool) -> None:
    """Raises InputError unless either some organisations or all of them are named."""
    if everything == bool(organizations):
        raise InputError(
            "--organization(複数可)か --all のどちらかを指定してください。",
            "give either --organization (several are possible) or --all",
        )


def asked(settings: Settings, organizations: list[str], everything: bool) -> list[str]:
    """What an account that begins anew sees. Raises InputError where the configuration has organisations and nothing is chosen."""
    if settings.organizations or (everything and organizations):
        chosen(organizations, everything)
    return known(settings, organizations)


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
                seen = f"[{', '.join(body['organizations'])}] " if body.get("organizations") else ""
                typer.echo(
                    f"{record.id:20} {body.get('full_name', ''):20} {', '.join(body['roles'])} {seen}{mark}"
                )

    @users.command()
    def add(
        name: str = NAME,
        data: Path = DATA,
        config: Path | None = CONFIG,
        role: list[str] = typer.Option(["analyst"], help="役割(複数可)/ roles"),
        full_name: str = typer.Option("", help="氏名 / full name"),
        organization: list[str] = ORGANIZATION,
        everything: bool = EVERYTHING,
    ) -> None:
        """追加(パスワードは尋ねます)/ add; the password is asked for, never an argument.

        設定に organizations があるときは、見える範囲を --organization か --all で必ず選びます(hinomi up より前なら --config も)。
        Where the configuration has organizations, choose what the person sees; before hinomi up ran, name it with --config.
        """
        settings = read_settings(config or remembered(data))
        seen = asked(settings, organization, everything)
        if not data.exists():
            typer.echo(f"{data}: データフォルダを新しく作ります。(a new data folder)", err=True)
        password = asking.password("パスワード / password", twice=True)
        with opened(data, make=True, config=config) as place:
            details = {"roles": role, "organizations": seen}
            place.desk.audit.append(actor=operator(), action="user.add", target=name, details=details)
            Users(place.records, place.clock).create(
                name, password, role, full_name=full_name, organizations=seen
            )
        typer.echo(f"{name} を追加しました。(added)")

    @users.command()
    def sees(
        name: str = NAME,
        data: Path = DATA,
        config: Path | None = CONFIG,
        organization: list[str] = ORGANIZATION,
        everything: bool = EVERYTHING,
    ) -> None:
        """見える範囲を変える / change whose incidents and logs a person sees."""
        chosen(organization, everything)
        with opened(data, config=config) as place:
            seen = known(place.settings, organization)
            place.desk.audit.append(
                actor=operator(), action="user.organizations", target=name, details={"organizations": seen}
            )
            Users(place.records, place.clock).set_organizations(name, seen)
        typer.echo(f"{name}: {', '.join(seen) or 'すべて / all'}")

    @users.command()
    def release(
        name: str = NAME,
        data: Path = DATA,
        organization: list[str] = ORGANIZATION,
        everything: bool = EVERYTHING,
    ) -> None:
        """LDAP・OpenID のアカウントの名前だけを次の人に渡す / pass on the name of an account of LDAP or OpenID, and nothing else.

        本人の控え、二要素、セッション、トークン、許可と代理は消えます。役割は、次にサインインした人のものをディレクトリが決めます。
        Who it was, the second factor, sessions, tokens, permits and stand-ins end; the directory says the next one's roles.
        設定に organizations があるときは、次の人に見える範囲を --organization か --all で必ず選びます。
        Where the configuration has organizations, choose what the next person sees.
        """
        with opened(data) as place:
            seen = asked(place.settings, organization, everything)
            place.desk.audit.append(
                actor=operator(), action="user.release", target=name, details={"organizations": seen}
            )
            Users(place.records, place.clock).release(name, seen)
        typer.echo(
            f"{name}: 次にサインインした人のものになります。(the next to sign in under this name has it)"
        )

    @users.command()
    def password(name: str = NAME, data: Path = DATA) -> None:
        """パスワードを変える / change a password; every session of the person ends."""
        new = asking.password("新しいパスワード / new password", twice=True)
        with opened(data) as place:
            place.desk.audit.append(actor=operator(), action="user.password", target=name, details={})
            Users(place.records, place.clock).set_password(name, new, must_change=True)
        typer.echo(
            f"{name} のパスワードを変えました。本人は、次のサインインで自分のパスワードに変えます。"
            "(changed; the person chooses one of their own at the next sign-in)"
        )
