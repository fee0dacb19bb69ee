"""hinomi oncall: who is on call, the calendar for telephones, the contact card."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hinomi.clock import JST, SystemClock
from hinomi.durable import write_durably
from hinomi.errors import InputError
from hinomi.named import writing
from hinomi.text import inert
from ops.opened import opened, operator, remembered
from ops.settings import Settings, read_settings
from responders.oncall import Rota
from responders.oncall.standins import Standins
from responders.roles import OPERATOR

if TYPE_CHECKING:
    from responders.notify.trying import Tried

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    oncall = typer.Typer(help="当番 / on call", no_args_is_help=True)
    app.add_typer(oncall, name="oncall")

    @oncall.command()
    def who(
        data: Path = DATA, days: int = typer.Option(7, min=1, max=60, help="何日先まで / how many days ahead")
    ) -> None:
        """今とこれからの当番 / now and next."""
        from responders.oncall.ical import shifts

        with opened(data) as place:
            rota = Rota(_settings(data).respond.oncall, Standins(place.records))
            for name, start, end in shifts(rota, SystemClock().now(), days):
                person = rota.settings.people.get(name)
                typer.echo(
                    f"{start.astimezone(JST):%m-%d %H:%M} – {end.astimezone(JST):%m-%d %H:%M}  "
                    f"{inert(person.name_ja if person else name)}"
                )

    @oncall.command("test")
    def send_test(
        person: str = typer.Argument(..., help="oncall.people の名前 / a name under oncall.people"),
        channel: str = typer.Option("", help="この通知先だけ / this channel alone"),
        data: Path = DATA,
    ) -> None:
        """試験の通知を送り、届け先ごとの結果を示す / send a test message, and say how each channel took it."""
        from responders.notify.trying import Trial

        with opened(data) as place:
            own = _settings(data).respond
            trial = Trial(place.records, place.clock, own.notify, own.oncall.people, place.desk.audit)
            failed = [not _told(tried) for tried in trial.send(person, channel, actor=operator())]
        if any(failed):
            raise typer.Exit(1)

    @oncall.command()
    def calendar(
        data: Path = DATA,
        person: str = typer.Option("", help="この人だけ / of one person"),
        days: int = typer.Option(60, help="何日先まで / how many days ahead"),
    ) -> None:
        """iCalendar として出す / as iCalendar, to standard output."""
        from responders.oncall import ical

        with opened(data) as place:
            rota = Rota(_settings(data).respond.oncall, Standins(place.records))
            typer.echo(ical.calendar(rota, SystemClock().now(), days=days, person=person), nl=False)

    @oncall.command()
    def card(out: Path = typer.Option(..., "--out", help="PDF の名前"), data: Path = DATA) -> None:
        """緊急連絡先カードを印刷用の PDF に / the contact card as PDF."""
        from responders.duties.contacts import card as printed

        settings = _settings(data).respond
        with opened(data) as place:
            rota, now = Rota(settings.oncall, Standins(place.records)), SystemClock().now()
            name = rota.who(now)
            on = [settings.oncall.people[name].name_ja] if name in settings.oncall.people else []
        with writing(out):
            write_durably(out, printed(settings.contacts, now, on), mode=0o600)
        typer.echo(f"{out} を作りました。(written)")

    @oncall.command()
    def standin(
        person: str = typer.Argument(..., help="代わりに入る人 / who stands in"),
        start: datetime = typer.Argument(..., help="始まり(日本時間)/ begin (Japan time)"),
        hours: float = typer.Option(..., min=0.25, max=24 * 31, help="時間 / hours"),
        reason: str = typer.Option(..., help="理由 / reason"),
        data: Path = DATA,
    ) -> None:
        """代わりの当番を入れる(日本時間)/ somebody stands in (Japan time)."""
        begins = start.replace(tzinfo=JST)
        with opened(data) as place:
            place.desk.roster.stand_in(
                person,
                begins,
                begins + timedelta(hours=hours),
                reason,
                settings=_settings(data).respond.oncall,
                actor=operator(),
                roles=[OPERATOR],
            )
        typer.echo("入れました。(entered)")

    @oncall.command("end-standin")
    def end_standin(
        identity: str = typer.Argument(..., help="交代の番号 / number of the change"), data: Path = DATA
    ) -> None:
        """交代を取りやめる / the rota holds again."""
        with opened(data) as place:
            place.desk.roster.drop_stand_in(identity, actor=operator(), roles=[OPERATOR])
        typer.echo("取りやめました。(dropped)")

    @oncall.command()
    def maintenance(
        title: str = typer.Argument(..., help="何の作業か / what work"),
        start: datetime = typer.Option(..., help="始まり(日本時間)/ begin (Japan time)"),
        hours: float = typer.Option(..., min=0.25, max=24 * 14, help="時間 / hours"),
        where: list[str] = typer.Option(
            [], help="対象「項目=値」(host.name=sv01)。繰り返せる / what it is about, FIELD=VALUE"
        ),
        rule: str = typer.Option("", help="このルールだけ / of this rule alone"),
        data: Path = DATA,
    ) -> None:
        """保守作業を予定する。その間の警報は数えて呼ばない(critical は呼ぶ)/ plan maintenance."""
        begins, about = start.replace(tzinfo=JST), _about(where)
        with opened(data) as place:
            kept = place.desk.roster.plan_maintenance(
                title,
                begins,
                begins + timedelta(hours=hours),
                about,
                actor=operator(),
                roles=[OPERATOR],
                **({"rule_id": rule} if rule else {}),
            )
        typer.echo(f"{kept.id}: 予定しました。(planned)")

    @oncall.command("end-maintenance")
    def end_maintenance(
        identity: str = typer.Argument(..., help="予定したときに出た番号 / number that planning it gave"),
        data: Path = DATA,
    ) -> None:
        """保守作業を終える・取りやめる。警報はまた人を呼ぶ / end or cancel maintenance; alerts call again."""
        with opened(data) as place:
            place.desk.roster.end_maintenance(identity, actor=operator(), roles=[OPERATOR])
        typer.echo("終えました。(ended)")

    @oncall.command()
    def note(
        text: str = typer.Argument(..., help="申し送る内容 / what the next shift must know"),
        data: Path = DATA,
    ) -> None:
        """次の当番への申し送り / a note for the next shift."""
        with opened(data) as place:
            place.desk.roster.note(text, actor=operator(), roles=[OPERATOR])
        typer.echo("書きました。(noted)")


def _told(tried: "Tried") -> bool:
    """Says how it went on one channel; whether it was taken."""
    typer.echo(f"{'○' if tried.taken else '×'} {inert(tried.channel)}: {tried.said.ja}({tried.said.en})")
    if not tried.taken:
        typer.echo(f"  次にすること: {tried.remedy.ja}\n  next: {tried.remedy.en}")
    return tried.taken


def _about(given: list[str]) -> dict[str, str]:
    """`host.name=sv01` as field and value."""
    found = {}
    for one in given:
        field, _, value = one.partition("=")
        if not field.strip() or not value.strip():
            raise InputError(
                f"--where「{one}」は「項目=値」の形ではありません。", f'--where "{one}" is not FIELD=VALUE'
            )
        found[field.strip()] = value.strip()
    return found


def _settings(data: Path) -> Settings:
    path = remembered(data)
    if path is None:
        raise InputError(
            "このデータフォルダは、まだ設定付きで動かされていません。",
            "this data folder was never run with a configuration",
        )
    return read_settings(path)
