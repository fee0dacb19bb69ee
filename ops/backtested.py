"""`hinomi rules backtest`: the span asked for, and what came of it in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import JST
from hinomi.store import Span
from hinomi.text import inert
from ops.folders import cache_folder
from ops.opened import Opened
from rules import backtest as trial
from rules.backtest import Backtest
from rules.picked import Picked, pick

_SHOWN = 10
_FEW = (
    "@timestamp",
    "event.dataset",
    "event.action",
    "user.name",
    "host.name",
    "source.ip",
    "destination.ip",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a backtest found, with sample events as they are stored."""

    picked: Picked
    found: Backtest
    samples: Sequence[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        found = self.found
        return {
            "rules": [{"id": one, "title": title} for one, title in self.picked.titles.items()],
            "start": found.start.isoformat(),
            "end": found.end.isoformat(),
            "days": [
                {"day": day, "events": n.events, "signals": n.signals, "alerts": n.alerts, "cut": n.cut}
                for day, n in sorted(found.days.items())
            ],
            "signals": dict(found.signals),
            "alerts": [one.model_dump(mode="json") for one in self._alerts()],
            "entities": [
                {"field": name, "value": value, "n": n}
                for (name, value), n in found.entities.most_common(100)
            ],
            "samples": list(self.samples),
            "cost": {
                "cpu_seconds": round(found.seconds, 3),
                "cpu_seconds_per_million": round(found.per_million, 2),
            },
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        found = self.found
        yield "、".join(f"{inert(title)} ({one})" for one, title in self.picked.titles.items())
        yield f"{'日 / day':12} {'events':>12} {'signals':>10} {'alerts':>8}"
        for day, n in sorted(found.days.items()):
            mark = "  途中まで / cut" if n.cut else ""
            yield f"{day:12} {n.events:12,} {n.signals:10,} {n.alerts:8,}{mark}"
        yield from self._about()
        yield (
            f"費用 / cost: {found.events:,} 件の照合に {found.seconds:.2f} 秒(CPU)、100万件あたり {found.per_million:.1f} 秒"
            f" / {found.per_million:.1f} s of processor time a million events"
        )

    def _about(self) -> Iterator[str]:
        for one in self._alerts()[:_SHOWN]:
            yield f"警報 / alert {one.first.astimezone(JST):%Y-%m-%d %H:%M} {inert(one.title_ja)}: {inert(one.reason_ja, 200)}"
        for (name, value), n in self.found.entities.most_common(_SHOWN):
            yield f"対象 / entity {n:8,}  {name}: {inert(value, 100)}"
        for event in self.samples:
            few = " ".join(
                f"{name}={inert(str(event[name]), 60)}" for name in _FEW if event.get(name) is not None
            )
            yield f"例 / sample {few}"
            yield f"    {inert(str(event.get('event.original') or ''), 300)}"

    def _alerts(self) -> list[Any]:
        return sorted(self.found.alerts.values(), key=lambda one: (one.first, one.id))


def backtest(place: Opened, asked: Sequence[str], days: int, until: datetime | None, samples: int) -> Told:
    """Try the rules over the last days, or those that end with `until` (a date of Japan)."""
    picked = pick(place.settings.rules_in_force(place.data), asked, cache_folder())
    last = until.replace(tzinfo=JST) if until else place.clock.now().astimezone(JST)
    end = (last + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    span = Span(end - timedelta(days=days), end)
    found = trial.run(picked, place.events, span, lateness=place.settings.rules.lateness, samples=samples)
    events = place.events.get(found.samples, span=span) if found.samples else []
    return Told(picked, found, events)
