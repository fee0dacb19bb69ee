"""`hinomi store status`: what is held, for how long and why, what a hold keeps, and when the disk will be full."""

from datetime import timedelta
from pathlib import Path

import typer

from hinomi.clock import JST
from hinomi.retention import period_of
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
        typer.echo(f"1日あたり / a day: {found.daily / (1 << 20):,.1f} MiB")
        if found.days is None:
            typer.echo("満杯になる見込みはありません(10年以内) / the disk will not be full within ten years")
        else:
            when = (now + timedelta(days=found.days)).astimezone(JST)
            typer.echo(f"満杯まで / full in: {found.days:,} 日 / days ({when:%Y-%m-%d})")
