"""hinomi incidents: list, show, acknowledge, close, open again."""

from datetime import datetime
from pathlib import Path

import orjson
import typer
from rich.console import Console

from hinomi.clock import JST
from hinomi.incident import Incident, Status, Verdict
from hinomi.text import inert
from ops import given
from ops.opened import opened, operator
from ops.tables import folding
from responders.incidents.casefile import numbered
from responders.opening import Report
from responders.roles import OPERATOR

NUMBER = typer.Argument(..., help="インシデント番号 / incident")
DATA = typer.Option(..., "--data", help="データフォルダ / data folder")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    incidents = typer.Typer(help="インシデント / incidents", no_args_is_help=True)
    app.add_typer(incidents, name="incidents")

    @incidents.command("list")
    def list_(
        data: Path = DATA,
        every: bool = typer.Option(False, "--all", help="終了したものも / closed ones too"),
        jsonl: bool = typer.Option(False, "--jsonl", help="1行1件の JSON"),
    ) -> None:
        """一覧 / list."""
        with opened(data) as place:
            where = None if every else {"status": [s.value for s in Status if s is not Status.CLOSED]}
            found = [r.read_as(Incident) for r in place.records.find("incident", where, order="number")]
        if jsonl:
            for incident in found:
                typer.echo(orjson.dumps(incident.model_dump(mode="json")).decode())
            return
        table = folding(
            "#", "段階 / grade", "状態 / status", "題名 / title", "はじまり / since", "担当 / assignee"
        )
        for one in found:
            since = f"{one.first.astimezone(JST):%Y-%m-%d %H:%M}"
            table.add_row(
                str(one.number),
                str(one.grade),
                one.status,
                inert(one.title_ja, 80),
                since,
                inert(one.assignee),
            )
        Console().print(table, markup=False)

    @incidents.command()
    def show(number: int = NUMBER, data: Path = DATA) -> None:
        """経過を示す / show the story and the timeline."""
        with opened(data) as place:
            incident = numbered(place.records, number)
        lines = [f"#{incident.number} [{incident.grade}] {incident.title_ja}", incident.story_ja, ""]
        lines += [
            f"{line.time.astimezone(JST):%m-%d %H:%M}  {line.actor}  {line.ja}" for line in incident.timeline
        ]
        for line in lines:
            typer.echo(inert(line))

    @incidents.command("open")
    def open_(
        title: str = typer.Argument(..., help="題名 / title"),
        what: str = typer.Option(..., help="何が起きたか、誰から聞いたか / what happened, and who said so"),
        known: datetime | None = typer.Option(
            None, help="知った時刻(日本時間、既定: 今)/ when it became known, Japan time (default: now)"
        ),
        grade: int = typer.Option(1, min=0, max=3, help="段階 / grade"),
        zone: str = typer.Option("", help="関係する網(lgwan など)/ part of the network"),
        about: list[str] = typer.Option(
            [],
            help="関わる人・端末など 項目=値(何度でも)/ whom and what it is about, FIELD=VALUE, repeatable",
        ),
        organization: str = typer.Option("", help="どの組織の件か / whose it is"),
        playbook: str = typer.Option("", help="始める手順書(--as が要ります)/ playbook to start, needs --as"),
        account: str = typer.Option(
            "", "--as", help="アカウント(パスワードを尋ねます)/ account; asks for its password"
        ),
        data: Path = DATA,
    ) -> None:
        """ログが知らないことを起票する / open one for what no log told."""
        from ops.signing import signed_in  # it takes half a second to load

        with opened(data) as place:
            who, roles = signed_in(place, account) if account else (operator(), [OPERATOR])
            report = Report(
                title=title,
                what=what,
                known=known.replace(tzinfo=JST) if known else place.clock.now(),
                grade=grade,
                zone=zone,
                targets=given.targets(about),
                playbook=playbook,
                organization=given.organization(organization, place.settings.organizations),
            )
            taken = place.desk.opening.open(report, actor=who, roles=roles)
        typer.echo(f"受け付けました({taken.id})。対応処理が番号を付けます。(kept; the responder opens it)")

    @incidents.command()
    def ack(number: int = NUMBER, data: Path = DATA) -> None:
        """対応を始める(確認の印)/ acknowledge."""
        with opened(data) as place:
            place.desk.acknowledge(numbered(place.records, number).id, actor=operator(), roles=[OPERATOR])
        typer.echo(f"#{number} を確認しました。(acknowledged)")

    @incidents.command()
    def close(
        number: int = NUMBER,
        verdict: Verdict = typer.Option(..., help="判定 / verdict"),
        reason: str = typer.Option(..., help="理由 / reason"),
        data: Path = DATA,
    ) -> None:
        """終了する / close with a verdict."""
        with opened(data) as place:
            place.desk.close(
                numbered(place.records, number).id, verdict, reason, actor=operator(), roles=[OPERATOR]
            )
        typer.echo(f"#{number} を終了しました。(closed)")

    @incidents.command()
    def reopen(
        number: int = NUMBER,
        reason: str = typer.Option(..., help="理由 / reason"),
        data: Path = DATA,
    ) -> None:
        """再開する / open a closed one again."""
        with opened(data) as place:
            place.desk.reopen(numbered(place.records, number).id, reason, actor=operator(), roles=[OPERATOR])
        typer.echo(f"#{number} を再開しました。(opened again)")
