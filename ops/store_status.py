"""`hinomi store status`: what is held, for how long and why, what a hold keeps, and when the disk will be full."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import typer

from hinomi.clock import JST
from hinomi.retention import Period, period_of
from hinomi.store.elastic.events import ElasticEvents
from hinomi.text import inert
from ops.forecast import forecast
from ops.opened import opened, remembered
from ops.repairing import told
from ops.settings import read_settings
from ops.store_watch import damaged
from responders.incidents import holds


def show(data: Path, config: Path | None) -> None:
    """What does not answer; then a line a dataset, holds, and the forecast."""
    periods = read_settings(config or remembered(data)).retention.periods
    with opened(data, config=config) as place:
        for one in damaged(place.events, place.records):
            typer.echo(f"× {told(one)}")
        for held in place.events.datasets():
            first, last = (f"{time:%Y-%m-%d}" if time else "-" for time in (held.first, held.last))
            typer.echo(f"{inert(held.name):36} {held.events:14,} {held.bytes >> 20:8,} MiB  {first} – {last}")
            if (period := period_of(held.name, periods)) is not None:
                typer.echo(
                    f"{'':36} {period.days:,} 日 / days [{period.basis}] {period.reason_ja} / {period.reason_en}"
                )
        for hold in holds.in_force(place.records):
            typer.echo(
                f"保存指定 / hold: #{hold.number} {hold.start:%Y-%m-%d} – {hold.end:%Y-%m-%d} {inert(hold.reason)}"
            )
        now = place.clock.now()
        found = forecast(place.events.days(), periods, place.events.room(), now)
        typer.echo(f"1日あたり / a day: {float(found.daily) / (1 << 20):,.1f} MiB")
        if found.days is None:
            typer.echo("満杯になる見込みはありません(10年以内) / the disk will not be full within ten years")
        else:
            typer.echo(f"満杯まで / full in: {_when(found.days, now)}")
        if isinstance(place.events, ElasticEvents):
            _shards(place.events, periods, now)


def _shards(events: ElasticEvents, periods: Sequence[Period], now: datetime) -> None:
    """A cluster that may open no more shards takes no event of a new day, however much disk there is."""
    held = events.shards()
    found = forecast(held.days, periods, held.left, now)
    typer.echo(
        f"シャード / shards: 1日あたり {float(found.daily):,.0f} / a day, あと {held.left:,} / more may be opened"
    )
    if found.days is not None:
        typer.echo(
            f"シャードの上限まで / no more shards in: {_when(found.days, now)}。ノードを増やすか、保存期間を短くするか、"
            "cluster.max_shards_per_node を見直してください / add nodes, keep less, or raise that limit"
        )


def _when(days: int, now: datetime) -> str:
    return f"{days:,} 日 / days ({(now + timedelta(days=days)).astimezone(JST):%Y-%m-%d})"
