"""hinomi playbooks: what there is, what is proposed, deciding, undoing."""

import re
from datetime import timedelta
from pathlib import Path

import orjson
import typer
import yaml

from hinomi.alert import Alert
from hinomi.errors import HinomiError, InputError
from hinomi.named import reading, writing
from hinomi.text import inert
from ops import begins, given
from ops.folders import packs_folder
from ops.opened import opened, operator, remembered
from ops.settings import read_settings
from ops.signing import signed_in
from responders.incidents import casefile
from responders.playbooks.playbook import Playbook, catalogue, lint, load
from responders.playbooks.run import KIND, Run, RunState
from responders.playbooks.settings import PlaybookSettings
from responders.roles import OPERATOR

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")
NAME = typer.Argument(..., help="手順書の名前 / name of the playbook")
FOLDER = typer.Argument(..., exists=True, help="手順書のフォルダ / folder of playbooks")
RUN = typer.Argument(..., help="計画の番号(runs で見る)/ number of the plan, see `runs`")
REASON = typer.Option(..., help="理由(監査記録に残ります)/ why; kept in the audit log")
NOTE = typer.Option("", help="覚え書き / note")
TARGET = typer.Option(
    [],
    help="対象 項目=値(何度でも。省くとインシデントのもの)/ target as field=value, repeatable; default: the incident's own",
)
AS = typer.Option(..., "--as", help="アカウント(パスワードを尋ねます)/ account; asks for its password")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    playbooks = typer.Typer(help="プレイブック / playbooks", no_args_is_help=True)
    app.add_typer(playbooks, name="playbooks")

    @playbooks.command("list")
    def list_(
        data: Path | None = typer.Option(None, "--data", help="データフォルダ(自庁の手順書も)/ data folder"),
    ) -> None:
        """備えてあるものと、自庁のもの、何から始まるか / what there is, the city's own, and how each begins."""
        own, naming = _playbooks_of(data), begins.naming(packs_folder())
        problems: list[HinomiError] = []
        known = set(catalogue())
        for name, playbook in catalogue(*own.folders, problems=problems).items():
            words = "実行可 / armed" if name in own.armed else "予行のみ / dry run only"
            mine = "" if name in known else "  自庁 / own"
            title = f"{playbook.title_ja} / {playbook.title_en}"
            how = begins.of(playbook, naming).words
            begun = f"始まり: {how.ja or 'なし'} / begins: {how.en or 'never'}"
            typer.echo(f"{name:24} {title}  [{playbook.approver}]  {words}  {begun}{mine}")
        for problem in problems:
            typer.echo(str(problem), err=True)
        if problems:
            raise typer.Exit(1)

    @playbooks.command("lint")
    def lint_(folder: Path = FOLDER) -> None:
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
    def simulate(
        name: str = NAME,
        number: int = typer.Argument(..., help="インシデント番号 / incident"),
        data: Path = DATA,
    ) -> None:
        """過去のインシデントで模擬する(何にも触れません)/ simulate on a past incident; nothing is touched."""
        from responders.playbooks.rehearsal import rehearse

        with opened(data) as place:
            playbook = _known(name, place.settings.respond.playbooks)
            incident = casefile.numbered(place.records, number)
            held = (place.records.get("alert", one) for one in incident.alert_ids)
            went = rehearse(playbook, incident, [one.read_as(Alert) for one in held if one])
        for step in went.run.steps:
            typer.echo(f"{step.index:3}. [{step.state}] {inert(step.title_ja)} {inert(step.result_ja)}")
        typer.echo(f"求めた承認: {'、'.join(went.asked) or 'なし'}(approvals asked for)")
        if not went.green:
            raise typer.Exit(1)

    @playbooks.command("export")
    def export_(
        name: str = NAME,
        data: Path | None = typer.Option(None, "--data", help="データフォルダ(自庁の手順書も)/ data folder"),
    ) -> None:
        """CACAO 2.0 として出す / as CACAO 2.0, to standard output."""
        from responders.cacao.export import exported

        playbook = _known(name, _playbooks_of(data))
        typer.echo(orjson.dumps(exported(playbook), option=orjson.OPT_INDENT_2).decode())

    @playbooks.command("import")
    def import_(
        file: Path = typer.Argument(..., exists=True, help="CACAO 2.0 の JSON / a CACAO 2.0 document"),
        folder: Path = typer.Option(
            ..., "--folder", help="手順書を書くフォルダ / folder to write the playbook into"
        ),
    ) -> None:
        """CACAO 2.0 を取り込む(操作は人の作業になります)/ take a CACAO 2.0 document in; its commands become tasks."""
        from responders.cacao.document import checked
        from responders.cacao.importing import imported

        try:
            with reading(file):
                value = orjson.loads(file.read_bytes())
        except orjson.JSONDecodeError as error:
            raise InputError(f"{file}: JSON として読めません。", f"{file}: not JSON: {error}") from None
        name = re.sub(r"[^a-z0-9_]", "_", file.stem.lower())
        playbook = imported(checked(value, str(file)), name, str(file))
        path = folder / f"{playbook['playbook']}.yml"
        with writing(path):
            path.write_text(yaml.safe_dump(playbook, allow_unicode=True, sort_keys=False), encoding="utf-8")
        load(path)
        typer.echo(f"{path} に書きました。(written)")

    @playbooks.command()
    def stop(reason: str = REASON, data: Path = DATA) -> None:
        """自動の操作をすべて止める / the kill switch."""
        with opened(data) as place:
            place.desk.automation.stop(reason, actor=operator(), roles=[OPERATOR])
        typer.echo("止めました。再開は resume(承認の役割が要ります)。(stopped)")

    @playbooks.command()
    def resume(account: str = AS, reason: str = REASON, data: Path = DATA) -> None:
        """自動の操作を再開する / let playbooks act again."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.automation.resume(reason, actor=name, roles=roles)
        typer.echo("再開しました。(resumed)")

    @playbooks.command()
    def runs(data: Path = DATA) -> None:
        """計画と実行の状態 / proposed and running."""
        with opened(data) as place:
            for record in place.records.find(KIND, order="-created"):
                run = record.read_as(Run)
                kind = "予行 dry run" if run.dry_run else "実行 armed"
                typer.echo(f"{run.id}  {run.state:10} {kind:12} {inert(run.title_ja)}")
                if run.warned_ja and run.state is RunState.PROPOSED:
                    typer.echo(f"    ! {inert(run.warned_ja)} / {inert(run.warned_en)}")
                for step in run.steps:
                    typer.echo(
                        f"    {step.index}. [{step.state}] {inert(step.title_ja)} {inert(step.result_ja)}"
                    )

    @playbooks.command()
    def start(
        name: str = NAME,
        number: int = typer.Argument(..., help="インシデント番号 / incident"),
        target: list[str] = TARGET,
        data: Path = DATA,
        account: str = AS,
    ) -> None:
        """インシデントで手順書を始める(承認は別の人)/ start a playbook on an incident; somebody else approves."""
        with opened(data) as place:
            incident = casefile.numbered(place.records, number)
            named = given.targets(target) if target else None
            who, roles = signed_in(place, account)
            place.desk.starting.start(incident.id, name, named, actor=who, roles=roles)
        typer.echo("計画を求めました。対応処理が用意し、承認を求めます。(asked for; the responder plans it)")

    @playbooks.command()
    def approve(run_id: str = RUN, data: Path = DATA, account: str = AS, note: str = NOTE) -> None:
        """計画を承認 / approve a plan."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.approve(run_id, actor=name, roles=roles, note=note)
        typer.echo("承認しました。(approved)")

    @playbooks.command()
    def deny(run_id: str = RUN, data: Path = DATA, account: str = AS, note: str = NOTE) -> None:
        """計画を却下 / deny a plan."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.deny(run_id, actor=name, roles=roles, note=note)
        typer.echo("却下しました。(denied)")

    @playbooks.command("act-first")
    def act_first(
        run_id: str = RUN,
        step: int = typer.Argument(..., help="手順の番号(runs で見る)/ number of the step, see `runs`"),
        reason: str = typer.Option(..., help="待てない理由 / why it cannot wait"),
        data: Path = DATA,
        account: str = AS,
    ) -> None:
        """承認の前に1台を隔離する(許可された人、夜間・閉庁日)/ act before the approval, by permit."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.acting_first.act(run_id, step, reason, actor=name, roles=roles)
        typer.echo("記録しました。対応処理が実行し、承認者に知らせます。(recorded; the responder does it)")

    @playbooks.command()
    def permit(
        taker: str = typer.Argument(..., help="許可を受ける人 / who may act first"),
        days: int = typer.Option(31, min=1, max=92, help="日数 / for so many days from now"),
        reason: str = REASON,
        data: Path = DATA,
        account: str = AS,
    ) -> None:
        """夜間に先に隔離してよい人を許可する / permit somebody to act before the approval."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            now = place.clock.now()
            until = now + timedelta(days=days)
            permit = place.desk.acting_first.permit(taker, now, until, reason, actor=name, roles=roles)
        typer.echo(f"{permit.id}: {taker} を {until:%Y-%m-%d} まで許可しました。(permitted)")

    @playbooks.command("end-permit")
    def end_permit(
        identity: str = typer.Argument(..., help="許可の番号 / number of the permit"),
        data: Path = DATA,
        account: str = AS,
    ) -> None:
        """許可を取り消す / take a permit back."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.acting_first.end_permit(identity, actor=name, roles=roles)
        typer.echo("取り消しました。(ended)")

    @playbooks.command()
    def undo(run_id: str = RUN, data: Path = DATA, account: str = AS, note: str = NOTE) -> None:
        """元に戻す。途中の実行は、止めてから戻す / undo a run; one under way is stopped first."""
        with opened(data) as place:
            name, roles = signed_in(place, account)
            place.desk.undo(run_id, actor=name, roles=roles, note=note)
        typer.echo("元に戻す依頼を記録しました。(undo asked for)")


def _playbooks_of(data: Path | None) -> PlaybookSettings:
    """The configuration's playbooks; none of the city's own where no data folder is named."""
    return read_settings(remembered(data)).respond.playbooks if data else PlaybookSettings()


def _known(name: str, own: PlaybookSettings) -> Playbook:
    """The playbook of that name, shipped or the city's own. Raises InputError."""
    problems: list[HinomiError] = []
    playbook = catalogue(*own.folders, problems=problems).get(name)
    if playbook is None:
        for problem in problems:  # the one that is missed may be in a file that cannot be read
            typer.echo(str(problem), err=True)
        raise InputError(
            f"プレイブック「{name}」はありません。hinomi playbooks list --data DIR で名前を確かめてください。",
            f'there is no playbook "{name}"; hinomi playbooks list --data DIR names them, the city\'s own too',
        )
    return playbook
