"""hinomi indicators: lists of addresses, names, links and files that somebody warns of."""

from pathlib import Path

import typer

from hinomi.named import reading
from ops.opened import opened, operator, remembered, shares_with_nobody


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="警戒する指標(IoC)の取り込みと一覧 / indicators of compromise", no_args_is_help=True
    )
    app.add_typer(group, name="indicators")
    _importing(group)
    _listing(group)
    _pulling(group)
    _sharing(group)

    @group.command()
    def expire(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        source: str = typer.Option("", help="この出どころのものをすべて外す / everything of this source"),
    ) -> None:
        """期限の切れたもの、または一つの出どころのものを外す / take out what is over, or all of one source."""
        from ops import shared
        from ops.indicators import held

        with opened(data) as place:
            now = place.clock.now()
            own = shared.indicators(data)
            gone = shared.carried(place, own, lambda: held(data).expire(now, source), by=operator())
            place.desk.audit.append(
                actor=operator(), action="indicators_expire", target=source or "expired", details={"n": gone}
            )
        typer.echo(f"{gone:,} 件を外しました。(taken out)")


def _importing(group: typer.Typer) -> None:
    @group.command("import")
    def import_(
        files: list[Path] = typer.Argument(
            ..., exists=True, help="STIX、MISP、CSV のファイル / STIX, MISP or CSV files"
        ),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        source: str = typer.Option(..., "--source", help="出どころ(例 JPCERT/CC) / who warns"),
        confidence: int = typer.Option(50, min=0, max=100, help="確かさ(書かれていないとき) / how sure"),
        days: int = typer.Option(90, min=1, max=3650, help="有効な日数(書かれていないとき) / valid for days"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """取り込み、保存済みのイベントからも探す / take in, and look for them in stored events, too."""
        from collectors.indicators.reading import Terms, read
        from ops.indicators import Indicators
        from ops.settings import read_settings

        with opened(data, config=config) as place:
            tower = Indicators.of(
                data, read_settings(config or remembered(data)), place.events, place.records, place.clock
            )
            tower.by = operator()
            for file in files:
                with reading(file):
                    content = file.read_bytes()
                taken = read(content, Terms(source, confidence, days, now=place.clock.now()))
                new, signals = tower.take(taken, source)
                place.desk.audit.append(
                    actor=operator(),
                    action="indicators_import",
                    target=source,
                    details={"file": file.name, "taken": len(taken.taken), "new": new, "signals": signals},
                )
                refused = "、".join(f"{reason} {n:,}" for reason, n in sorted(taken.refused.items()))
                typer.echo(
                    f"{file.name}: {len(taken.taken):,} 件(新しいもの {new:,} 件)、保存済みのイベントとの一致 {signals:,} 件"
                    f" / taken, new, hits in stored events{'。採らないもの / refused: ' + refused if refused else ''}"
                )


def _listing(group: typer.Typer) -> None:
    @group.command("list")
    def list_(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        source: str = typer.Option("", help="出どころ / source"),
        limit: int = typer.Option(50, min=1, help="表示する件数 / how many"),
        jsonl: bool = typer.Option(False, "--jsonl", help="1行1件の JSON / one JSON document a line"),
    ) -> None:
        """取り込んだ指標を示す / show the indicators held."""
        import polars as pl

        from hinomi.text import inert
        from ops.indicators import held

        frame = held(data).frame().sort("since", descending=True)
        shown = frame.filter(pl.col("source") == source) if source else frame
        if jsonl:
            typer.echo(shown.head(limit).write_ndjson(), nl=False)
            return
        for row in shown.head(limit).iter_rows(named=True):
            until = f"{row['expires']:%Y-%m-%d}" if row["expires"] else "-"
            parts = (
                row["kind"],
                row["value"],
                row["source"],
                str(row["confidence"]),
                until,
                row["about"] or "",
            )
            typer.echo("  ".join(inert(part, 120) for part in parts))
        typer.echo(f"{shown.height:,} 件 / indicators")


def _pulling(group: typer.Typer) -> None:
    @group.command()
    def pull(
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(..., "--config", help="設定ファイル / hinomi.yaml"),
    ) -> None:
        """設定した取得先(TAXII、MISP、文書)から今取り込む / fetch from the configured feeds now."""
        from ops.indicators import Indicators
        from ops.settings import read_settings

        settings = read_settings(config)
        with opened(data, config=config) as place:
            tower = Indicators.of(data, settings, place.events, place.records, place.clock)
            tower.by = operator()
            for name, new in tower.pull(settings.indicators).items():
                typer.echo(f"{name}: {new:,} 件 / new")


def _sharing(group: typer.Typer) -> None:
    @group.command()
    def share(data: Path = typer.Option(..., "--data", help="データフォルダ / data folder")) -> None:
        """共有された指標が壊れているとき、このデータフォルダのもので置き換える / replace damaged shared indicators by this folder's."""
        from ops import shared
        from ops.indicators import held

        with opened(data) as place:
            if shares_with_nobody(place):
                return
            copy = shared.Copy.of(shared.indicators(data), place.records, data)
            if not copy.is_damaged():
                typer.echo(
                    "共有された指標は壊れていません。何も変えません。 / they are whole: nothing is changed"
                )
                return
            n = held(data).frame().height
            details = {"why": "damaged", "n": n}
            place.desk.audit.append(
                actor=operator(), action="indicators_share", target="indicators", details=details
            )
            version = copy.mend(operator())
        typer.echo(
            f"版 {version}(指標 {n:,} 件)を配りました。 / version {version} is shared: {n:,} indicators"
        )
