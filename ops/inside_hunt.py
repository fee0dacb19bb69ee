"""`hinomi store hunt`: one rule over what a cluster holds of the past."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import typer

from hinomi.errors import InputError
from hinomi.store import Span
from hinomi.store.elastic.events import ElasticEvents
from hinomi.text import inert
from ops.folders import cache_folder
from ops.inside import Inside, rule_in
from ops.opened import opened
from rules import engine

_SHOWN = 20


def hunt(path: Path, data: Path, days: int, tell: bool) -> None:
    """Print how many events of each day match, and the newest signals' number where they were told."""
    rules = engine.load([path], cache=cache_folder())
    rule = rule_in(rules, path)
    with opened(data) as place:
        if not isinstance(place.events, ElasticEvents):
            raise InputError(
                "この保管庫は Elasticsearch ではありません。hinomi hunt を使ってください。",
                "this store is not Elasticsearch; use hinomi hunt",
            )
        inside = Inside(place.events, rules, place.clock)
        found, new = Counter[str](), 0
        now = place.clock.now()
        for batch in inside.hunt(rule, Span(now - timedelta(days=days), now + timedelta(days=1))):
            found.update(batch.frame["@timestamp"].dt.strftime("%Y-%m-%d").to_list())
            new += inside.tell(rule, batch) if tell else 0
    for day, number in sorted(found.items(), reverse=True)[:_SHOWN]:
        typer.echo(f"{day}  {number:10,}")
    typer.echo(f"{inert(rule.title)}: {sum(found.values()):,} 件 / events, 新しい検知 / new signals {new:,}")
