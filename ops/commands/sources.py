"""hinomi sources: list them, propose a mapping from a sample, check declared mappings, see what was not understood."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import typer

from hinomi.errors import HinomiError, InputError
from hinomi.text import inert

if TYPE_CHECKING:
    from collectors.pins import Pin


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sources = typer.Typer(
        help="ログの取り込み元を調べ、増やす / log sources: look, add, check", no_args_is_help=True
    )
    app.add_typer(sources, name="sources")
    _list(sources)
    _new(sources)
    _check(sources)
    _doctor(sources)
    _pins(sources)
    _unpin(sources)


def _list(sources: typer.Typer) -> None:
    @sources.command("list")
    def list_(
        word: str = typer.Argument("", help="名前か表題に含まれる語 / a word of the name or title"),
    ) -> None:
        """読める形式の一覧 / the formats that can be read."""
        from collectors import catalogue

        for name, source in catalogue.sources().items():
            titles = f"{source.title['ja']} / {source.title['en']}"
            if word.lower() in f"{name} {titles}".lower():
                typer.echo(f"{name:32} {titles}")


def _new(sources: typer.Typer) -> None:
    @sources.command()
    def new(
        sample: Path = typer.Argument(..., help="ログの見本 / a sample of the log"),
        name: str = typer.Option(
            ..., "--name", help="付ける名前(組織.製品) / its name, such as city.library"
        ),
        title: str = typer.Option("", "--title", help="日本語の表題 / title in Japanese"),
        title_en: str = typer.Option("", "--title-en", help="英語の表題 / title in English"),
        out: Path | None = typer.Option(
            None, "--out", help="書き出すフォルダ(既定は画面に出すだけ) / folder to write to"
        ),
        show: int = typer.Option(3, min=0, max=100, help="読んで見せる件数 / how many parsed events to show"),
    ) -> None:
        """見本から対応表(*.source.yml)を提案し、読んだ結果を見せる / propose a mapping and show what it reads."""
        from ops.new_source import drafted, parsed

        draft = drafted(sample, name, title or name, title_en or name)
        if out is not None:
            path = draft.write(out)
            typer.echo(f"書き出しました / written: {path}", err=True)
        else:
            typer.echo(draft.text)
        understood, rejected, documents = parsed(draft, show)
        for document in documents:
            sys.stdout.buffer.write(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.flush()
        typer.echo(f"{understood} 件を読めました / understood. ", err=True)
        for reason, n in rejected.items():
            typer.echo(f"  読めない {n} 件 / not understood: {inert(reason)}", err=True)


def _check(sources: typer.Typer) -> None:
    @sources.command()
    def check(
        paths: list[Path] = typer.Argument(
            ..., exists=True, help="*.source.yml かそのフォルダ / files or folders of them"
        ),
    ) -> None:
        """対応表の書き間違いを調べ、隣の *.test.yml で試す / lint declared mappings, run the tests beside them."""
        from ops.new_source import tested

        files = [
            file
            for path in paths
            for file in (sorted(path.glob("*.source.yml")) if path.is_dir() else [path])
        ]
        if not files:
            raise InputError("*.source.yml がありません。", "no *.source.yml here")
        bad = 0
        for file in files:
            try:
                passed, wrong = tested(file)
            except HinomiError as error:
                bad += 1
                typer.echo(str(error))
                continue
            bad += len(wrong)
            for line in wrong:
                typer.echo(f"{file}: {inert(line)}")
            typer.echo(
                f"{file}: 書式は正しい / well formed; 試験 tests: {passed} passed, {len(wrong)} failed"
            )
        if bad:
            raise typer.Exit(1)


def _doctor(sources: typer.Typer) -> None:
    @sources.command()
    def doctor(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        origin: str = typer.Option("", "--origin", help="この受け口だけ / only this listener"),
        top: int = typer.Option(20, min=1, max=1000, help="件数 / how many"),
        json: bool = typer.Option(False, "--json", help="JSON で出力 / print JSON"),
    ) -> None:
        """読めなかった行を似たもの同士でまとめ、名前のない項目を挙げる / group dead letters, list unnamed vendor fields."""
        from dataclasses import asdict

        from collectors.pins import pins
        from ops.dead_letters import groups, in_general, unnamed
        from ops.opened import opened
        from ops.replayed import marked

        with opened(data) as place:
            read = marked(place.records)
            found, fields = groups(place.events, origin, read), unnamed(place.events)
            pinned, general = pins(place.records, origin), in_general(place.records, origin)
        if json:
            body = {
                "dead_letters": [asdict(one) for one in found[:top]],
                "unnamed": [asdict(one) for one in fields],
                "pins": [asdict(one) for one in pinned],
                "in_general": [{"origin": name, "source": source, "lines": n} for name, source, n in general],
            }
            typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
            return
        typer.echo(
            f"読めなかった行 / dead letters: {sum(one.count for one in found):,} 件, {len(found):,} 種 kinds"
        )
        for one in found[:top]:
            typer.echo(
                f"{one.count:8,}  {inert(one.origin)}  {inert(one.source) or '?'}  {inert(one.reason)}"
            )
            for line in one.samples:
                typer.echo(f"          {inert(line, 160)}")
        typer.echo(f"対応表にない項目 / fields that no mapping names: {len(fields)}")
        for each in fields[:top]:
            typer.echo(
                f"{each.count:8,}  {inert(each.dataset)}  {inert(each.name)}  例 {inert(each.sample, 60)}"
            )
        typer.echo(f"汎用の形式でだけ読めた行 / read in a general form only: {len(general)}")
        for name, source, n in general[:top]:
            typer.echo(f"{n:8,}  {inert(name)}  {inert(source)}")
        typer.echo(f"見分けた形式 / recognised formats: {len(pinned)}")
        for pin in pinned[:top]:
            typer.echo(f"          {_pin_line(pin)}")


def _pin_line(pin: "Pin") -> str:
    program = (
        "すべて all"
        if pin.program is None
        else inert(pin.program) or "プログラム名のない行 without a program"
    )
    return f"{inert(pin.origin)}  {inert(pin.peer)}  {program}  {inert(pin.source)}  {pin.since}"


def _pins(sources: typer.Typer) -> None:
    @sources.command("pins")
    def pins_(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        origin: str = typer.Option("", "--origin", help="この受け口だけ / only this listener"),
    ) -> None:
        """送り元ごとに見分けた形式の一覧 / the formats that were recognised, sender by sender."""
        from collectors.pins import pins
        from ops.opened import opened

        with opened(data) as place:
            found = pins(place.records, origin)
        for pin in found:
            typer.echo(_pin_line(pin))
        typer.echo(f"{len(found)} 件 / pins", err=True)


def _unpin(sources: typer.Typer) -> None:
    @sources.command()
    def unpin(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        origin: str = typer.Option(..., "--origin", help="この受け口 / this listener"),
        peer: str = typer.Option("", "--peer", help="この送り元だけ / only this sender"),
    ) -> None:
        """見分けた形式を忘れ、次の行から見分け直す / forget recognised formats; the next lines are recognised anew."""
        from collectors.pins import unpin
        from ops.opened import opened, operator

        with opened(data) as place:
            place.desk.audit.append(
                actor=operator(), action="sources.unpin", target=origin, details={"peer": peer}
            )
            n = unpin(place.records, place.clock, origin, peer)
        if not n:
            raise InputError(
                "見分けた形式は記録されていません。hinomi sources pins で一覧を見られます。",
                "no format is recorded as recognised there; hinomi sources pins lists them",
            )
        typer.echo(f"{n} の送り元を、次の行から見分け直します。(senders recognised anew)")
