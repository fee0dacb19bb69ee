"""Do the logs arrive: listeners, the rhythm of each source, the spool, lines that were not understood."""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from collectors.rhythm import watched, wording
from hinomi.words import Words
from ops import rhythm_alerts
from ops.counts import totals
from ops.doctor.finding import Check, Part, Patient

_SILENT_SECONDS = 3600
_SHOWN = 20
_FULL = 0.8
_OPEN = Words("設定の番号・証明書・権限を確かめてください。", "check its port, certificate and permissions")
_SENDER = Words("送り元の設定と経路を確かめてください。", "check the sender and the way to it")
_WORKERS = Words("処理が追いつきません。workers を増やしてください。", "raise the number of workers")
_LETTERS = Words("検索: event.dataset: hinomi.dead_letter", "search for event.dataset: hinomi.dead_letter")


def listeners(patient: Patient) -> Iterator[Check]:
    """Does each listener listen, and does its source speak?"""
    told = [patient.run.read(process).get("listeners", {}) for process in ("intake", "pull")]
    for name, said in chain.from_iterable(one.items() for one in told):
        part = Part(f"受け口 {name}", f"listener {name}")
        for note in said.get("notes", []):
            yield (part.bad if note["bad"] else part.good)(note["ja"], note["en"])
        if said["up"] and said["problem"]:
            yield part.warn(said["problem"], said["problem"], _OPEN)
        elif said["up"]:
            yield _heard(part, said)
        else:
            yield part.bad(f"開けていません: {said['problem']}", f"is not open: {said['problem']}", _OPEN)


def _heard(part: Part, said: dict[str, Any]) -> Check:
    """When an open listener last heard something."""
    last = said.get("last_received")
    quiet = time.time() - datetime.fromisoformat(last).timestamp() if last else None
    if quiet is None or quiet > _SILENT_SECONDS:
        return part.warn("この1時間、何も届いていません。", "nothing arrived within the hour", _SENDER)
    n = said["received"]
    return part.good(f"{n:,} 件受信、最後は {quiet:.0f} 秒前。", f"{n:,} received, last {quiet:.0f} s ago")


def rhythm(patient: Patient) -> Iterator[Check]:
    """Does every source keep its rhythm?"""
    part, units = Part("ログの届き方", "rhythm of sources"), watched.read(patient.records)
    wrong = [(unit, one) for unit in units.values() for one in unit.standing.values()]
    for unit, one in wrong[:_SHOWN]:
        name = wording.name(unit.usual)
        yield part.bad(f"{name}: {one.ja}", f"{name}: {one.en}", rhythm_alerts.KINDS[one.kind].what_to_do)
    learning = sum(not unit.habits for (_, sender), unit in units.items() if not sender)
    if not wrong and units:
        n = len({origin for origin, _ in units})
        yield part.good(
            f"{n} か所、いつもどおりです(学習中 {learning})。",
            f"{n} places, as usual; {learning} being learned",
        )


def spool(patient: Patient) -> Iterator[Check]:
    """Does the pipeline keep up?"""
    intake, part = patient.run.read("intake"), Part("スプール", "spool")
    used, most = intake.get("spool_used", 0), intake.get("spool_max") or patient.settings.spool.max_mib << 20
    ja, en = f"{used >> 20} / {most >> 20} MiB を使用。", f"{used >> 20} of {most >> 20} MiB used"
    yield part.bad(ja, en, _WORKERS) if used > most * _FULL else part.good(ja, en)


def not_understood(patient: Patient) -> Iterator[Check]:
    """How many lines became dead letters, and of which source?"""
    part = Part("解析できなかった行", "lines not understood")
    counts = {line.dataset: n for line, n in totals(patient.records).items() if line.what == "dead_letter"}
    worst = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda one: -one[1])[:5])
    yield part.warn(worst, worst, _LETTERS) if counts else part.good("ありません。", "none")
