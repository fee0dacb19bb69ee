"""The commands of `hinomi rules` that change what runs, and look after it: a data folder at a time."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import orjson
import typer

from hinomi.clock import SystemClock
from hinomi.errors import InputError
from hinomi.text import inert
from ops.folders import cache_folder
from ops.opened import Opened, opened, operator, remembered, shares_with_nobody
from rules import decided, in_force, lock, quarantine, watching
from rules.importing import Import
from rules.in_force import InForce
from rules.selector import Selector

_Done = TypeVar("_Done")
DATA = typer.Option(..., "--data", help="データフォルダ / data folder")


def add(rules: typer.Typer) -> None:
    """Add the commands."""
    _import(rules)
    _share(rules)
    _switch(rules)
    _lock(rules)
    _hygiene(rules)
    _figures(rules)
    _quarantine(rules)


def _import(rules: typer.Typer) -> None:
    @rules.command("import")
    def import_(
        source: Path = typer.Argument(
            ..., exists=True, help="SigmaHQ の ZIP かフォルダ / release zip or folder"
        ),
        data: Path = DATA,
        name: str = typer.Option("sigmahq", help="呼び名 / what it is known by"),
        version: str = typer.Option(..., "--release", help="版 / the publisher's version"),
        sha256: str = typer.Option("", help="公表された SHA-256 / the published SHA-256"),
        yes: bool = typer.Option(False, "--yes", help="差分を有効にする / put it in force"),
    ) -> None:
        """ルール集を取り込む。差分を示し、--yes で有効になる / take in a collection: shows the difference, --yes makes it live."""
        one = Import(source, in_force.data_folder(data), name, version)
        diff = one.prepare(sha256)
        typer.echo("\n".join(diff.lines()))
        if not yes:
            typer.echo(
                "まだ有効ではありません。--yes で有効になります。 / not live yet: run again with --yes"
            )
            return
        with opened(data) as place:
            sums = {"added": len(diff.added), "changed": len(diff.changed), "removed": len(diff.removed)}
            _note(place, "rules.import", f"{name} {version}", {"sha256": diff.sha256, **sums})
            at = place.clock.now().isoformat()
            _carried(place, lambda: one.go_live(diff, by=operator(), at=at))
        typer.echo("有効にしました。 / it is live")


def _note(place: Opened, action: str, target: str, details: dict[str, object]) -> None:
    place.desk.audit.append(actor=operator(), action=action, target=target, details=details)


def _carried(place: Opened, act: Callable[[], _Done]) -> _Done:
    """Change the rules that the tower keeps; on a cluster those of every machine."""
    from ops import shared

    return shared.carried(place, shared.rules(place.data), act, by=operator())


def _share(rules: typer.Typer) -> None:
    @rules.command()
    def share(
        data: Path = DATA,
        take: bool = typer.Option(
            False,
            "--take",
            help="この機械のものを脇に置き、共有されたものを使う / put aside what is here alone and take what is shared",
        ),
    ) -> None:
        """データフォルダに置いた例外などを、クラスタのすべての機械に配る / give exceptions put here by hand to every machine."""
        from ops import shared

        folder = in_force.data_folder(data)
        if take:
            _take(data)
            return
        with opened(data) as place:
            if shares_with_nobody(place):
                return
            _note(place, "rules.share", str(folder), {})
            version = shared.Copy.of(shared.rules(data), place.records, data).share(operator())
        typer.echo(f"版 {version} を配りました。 / version {version} is shared")


def _take(data: Path) -> None:
    """With the rights of any part: nothing is written but this machine's own."""
    from ops import shared, stores
    from ops.settings import read_settings

    settings = read_settings(remembered(data))
    if settings.store.kind == "embedded":
        raise InputError(
            "保管庫がこの機械だけのもの(embedded)なので、共有されたものはありません。",
            "the store is this machine's own: nothing is shared",
        )
    records = stores.open_records(settings.store, data, SystemClock())
    try:
        taken = shared.Copy.of(shared.rules(data), records, data).take()
    finally:
        records.close()
    typer.echo(
        f"受け取りました。手元にだけあったものは {data / 'shared' / 'aside'} にあります。 / taken; what was here alone lies there"
        if taken
        else "新しいものはありません。 / there is nothing newer"
    )


def _switch(rules: typer.Typer) -> None:
    def decide(way: str, data: Path, selector: Selector) -> None:
        if not selector.keys:
            raise InputError(
                "何を対象にするか(--id、--tag、--level、--logsource など)を書いてください。",
                "say what is meant: --id, --tag, --level, --logsource …",
            )
        path = in_force.data_folder(data) / in_force.CHOICE
        decided.read_choice(path)  # says what is wrong with it before the audit log has anything
        with opened(data) as place:
            _note(
                place, f"rules.{way}", str(selector), selector.model_dump(mode="json", exclude_defaults=True)
            )
            _carried(place, lambda: decided.decide(path, way, selector))
            loaded = _in_force(place).load(cache_folder())
        typer.echo(f"止めているルール {len(loaded.off):,} / switched off {len(loaded.off):,}")

    for way, words in (
        ("disable", "ルールを止める / switch rules off"),
        ("enable", "止めたルールを動かす / on all the same"),
    ):

        @rules.command(way, help=words)
        def switch(
            data: Path = DATA,
            identity: list[str] = typer.Option([], "--id", help="id か name"),
            tag: list[str] = typer.Option([], help="例: attack.t1110*"),
            level: list[str] = typer.Option([], help="水準 / level: informational … critical"),
            status: list[str] = typer.Option([], help="状態 / status: stable, test, experimental …"),
            logsource: list[str] = typer.Option([], help="例: product=windows category=proxy"),
            path: list[str] = typer.Option([], help="ファイル名(* 可) / file, with *"),
            owner: str = typer.Option(..., help="決めた人 / who decided"),
            reason: str = typer.Option(..., help="理由 / why"),
            until: str = typer.Option("", help="最後の日 2026-12-31 / last day"),
            way: str = typer.Option(way, hidden=True),
        ) -> None:
            sources: dict[str, list[str]] = {}
            for one in logsource:
                key, equals, value = one.partition("=")
                if key not in ("product", "category", "service") or not equals:
                    raise InputError(
                        f"--logsource「{one}」は product=…、category=…、service=… のどれかです。",
                        f'--logsource "{one}": product=…, category=… or service=…',
                    )
                sources.setdefault(key, []).append(value)
            said = {"id": identity, "tag": tag, "level": level, "status": status, "path": path, **sources}
            decide(
                way,
                data,
                Selector.model_validate({**said, "owner": owner, "reason": reason, "until": _day(until)}),
            )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(
            f"「{text}」は 2026-12-31 のような日付ではありません。",
            f'"{text}" is not a date such as 2026-12-31',
        ) from None


def _in_force(place: Opened) -> InForce:
    return place.settings.rules_in_force(place.data)


def _lock(rules: typer.Typer) -> None:
    @rules.command("lock")
    def lock_(
        data: Path = DATA,
        verify: bool = typer.Option(
            False, "--verify", help="承認どおりか確かめる / check against the approval"
        ),
    ) -> None:
        """動いているルールを承認し、または承認どおりか確かめる / approve what runs, or check it (exit 1 where it differs)."""
        from ops import approval

        path = in_force.data_folder(data) / lock.NAME
        with opened(data) as place:
            if not verify:
                at = place.clock.now()
                n = approval.approve(
                    place.settings,
                    place.data,
                    place.desk.audit,
                    by=operator(),
                    at=at,
                    carried=lambda act: _carried(place, act),
                )
                typer.echo(f"{n:,} 件を承認しました。 / approved {n:,}: {path}")
                return
            found = approval.unlike(place.settings, place.data, place.records)
        if found is None:
            raise InputError(
                "まだ何も承認されていません。hinomi rules lock で承認してください。",
                "nothing has been approved yet: hinomi rules lock approves what runs",
            )
        typer.echo("\n".join(map(str, found)) or "承認どおりです。 / as approved")
        if found:
            raise typer.Exit(1)


def _hygiene(rules: typer.Typer) -> None:
    @rules.command()
    def hygiene(
        data: Path = DATA,
        days: int = typer.Option(30, min=1, max=3650, help="さかのぼる日数 / days to look back"),
        noisy: int = typer.Option(
            100, min=1, help="1日にこの数を超えるとうるさい / noisy beyond so many a day"
        ),
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
    ) -> None:
        """鳴らない・うるさい・担当のない・供給のないルールと、終わった例外を示す / rules that are silent, noisy, unowned or unfed."""
        from ops import rule_hygiene

        with opened(data) as place:
            source = _in_force(place)
            found = rule_hygiene.report(
                source.load(cache_folder()),
                source.choice(),
                place.events,
                place.clock.now(),
                days,
                noisy,
                place.records,
            )
        if json:
            typer.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode())
        else:
            typer.echo("\n".join(found.lines()))


def _figures(rules: typer.Typer) -> None:
    @rules.command()
    def stats(
        data: Path = DATA,
        days: int = typer.Option(7, min=1, max=35, help="さかのぼる日数 / days to look back"),
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
    ) -> None:
        """ルールごとの信号の数と費用 / signals and cost of each rule, as they were counted and timed."""
        from rules.stats import figures

        with opened(data) as place:
            found = figures(place.records, place.clock.now() - timedelta(days=days))
            titles = watching.titles(_in_force(place).load(cache_folder()))
        if json:
            body = {
                rule: {"title": titles[rule].en if rule in titles else "", **one.as_json()}
                for rule, one in found.items()
            }
            typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
            return
        for rule, one in sorted(found.items(), key=lambda pair: (-pair[1].signals, -pair[1].seconds)):
            title = inert(titles[rule].en if rule in titles else "(いまは動いていない / not in force)")
            typer.echo(f"{one.signals:12,}  {one.seconds:10.2f} s  {one.share:6.1%}  {title} ({inert(rule)})")


def _quarantine(rules: typer.Typer) -> None:
    @rules.command()
    def release(
        rule: str = typer.Argument("", help="ルールの id(なければ一覧) / a rule's id; without it the list"),
        data: Path = DATA,
        owner: str = typer.Option("", help="決めた人 / who decided"),
        reason: str = typer.Option("", help="理由 / why"),
    ) -> None:
        """自動で止めたルールを見る・戻す / rules set aside because they flood or slow the engine: see them, release one."""
        with opened(data) as place:
            if not rule:
                for one in quarantine.held(place.records):
                    typer.echo(f"{one.rule}  {one.at}  {inert(one.title)}: {one.said.ja} / {one.said.en}")
                return
            if not owner or not reason:
                raise InputError("--owner と --reason を書いてください。", "give --owner and --reason")
            if all(one.rule != rule for one in quarantine.held(place.records)):
                raise InputError(f"「{rule}」は止められていません。", f'"{rule}" is not set aside')
            _note(place, "rules.release", rule, {"owner": owner, "reason": reason})
            quarantine.release(place.records, rule, place.clock.now())
            quarantine.mirror(place.records, place.data)
        typer.echo("戻しました。 / it runs again")
