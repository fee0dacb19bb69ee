"""The correlator: signals/s through `Correlator.feed` with our own packs, and a million live groups against 1 GiB.

Signals of the packs' counting base rules, fifty a second of event time, about 600 addresses, people and machines,
in frames of 2,000; rates by processor time. The million groups are a million addresses that each failed once within
the window of a rule: nothing may be given up, and memory is this process's peak less what it had before.
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl

from hinomi import signal
from hinomi.clock import FixedClock
from ops.folders import packs_folder
from rules import engine
from rules.correlation import Correlator

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
SIGNALS, FRAME, GROUPS = 100_000, 2_000, 1_000_000
BASES = (
    "vpn_login_failed",
    "windows_logon_failed",
    "segment_flow_denied",
    "dns_long_query",
    "proxy_denied",
    "resident_viewed",
    "outbound_upload",
    "ssh_login_failed",
)


def main() -> None:
    """Each measurement in a process of its own, so that one's memory is not another's."""
    for part in ("speed", "groups"):
        subprocess.run([sys.executable, "-m", "benchmarks.correlate", part], check=True)


def speed() -> None:
    """Signals/s, and the same with every tenth signal late by up to an hour."""
    rules = engine.load([packs_folder()])
    for what, late in (("in order", 0.0), ("a tenth late", 0.1)):
        correlator = _correlator(rules)
        frames = list(_frames(random.Random(7), _ids(rules), late))
        began = time.process_time()
        alerts = {alert.id for frame in frames for alert in correlator.feed(frame)}
        took = time.process_time() - began
        print(f"feed, {what:13}{SIGNALS / took:12,.0f} signals/s   {len(alerts)} alerts", flush=True)


def groups() -> None:
    """A million live groups of one rule."""
    rules = engine.load([packs_folder()])
    correlator, identity = _correlator(rules), _ids(rules)["vpn_login_failed"]
    correlator.feed(_addresses(0, 20_000, identity))
    before, took = _peak(), 0.0
    for start in range(20_000, GROUPS, 20_000):
        frame = _addresses(start, 20_000, identity)
        began = time.process_time()
        correlator.feed(frame)
        took += time.process_time() - began
    grown = _peak() - before
    print(f"live groups        {correlator.live():12,}   {(GROUPS - 20_000) / took:,.0f} signals/s")
    print(f"memory for them    {grown:12,.0f} MiB {grown / 1024:6.2f} × 1 GiB")
    lost = sum(n for line, n in correlator.ledger.counts.items() if line.what == "dropped")
    print(f"given up           {lost:12,}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ids(rules: engine.RuleSet) -> dict[str, str]:
    return {rule.name: rule.id for rule in rules.rules if rule.name}


def _correlator(rules: engine.RuleSet) -> Correlator:
    return Correlator.of(rules, FixedClock(START + timedelta(days=2)), lateness=timedelta(hours=2))


def _frames(chance: random.Random, ids: dict[str, str], late: float) -> Iterator[pl.DataFrame]:
    for start in range(0, SIGNALS, FRAME):
        rows = [_row(chance, number, ids, late) for number in range(start, start + FRAME)]
        yield pl.DataFrame(rows, schema=signal.SCHEMA)


def _row(chance: random.Random, number: int, ids: dict[str, str], late: float) -> dict[str, object]:
    behind = chance.uniform(0, 3600) if chance.random() < late else 0.0
    base = BASES[number % len(BASES)]
    fields = {
        "user.name": f"user{int(600 * chance.random() ** 2):03}",
        "host.name": f"pc{chance.randrange(600):04}",
        "source.ip": f"10.30.{chance.randrange(3)}.{int(200 * chance.random() ** 2)}",
        "destination.ip": f"203.0.113.{chance.randrange(250)}",
        "destination.port": str(chance.choice((443, 445, 3389, 53))),
        "source.zone": "internet",
        "destination.zone": "external",
        "event.action": "deny",
        "event.outcome": "failure",
        "dns.question.name": f"{chance.randrange(10**9):x}.example.jp",
        "source.bytes": str(chance.randrange(100_000)),
        "hinomi.resident.records": "1",
    }
    return _signal(number, ids[base], base, START + timedelta(seconds=number / 50 - behind), fields)


def _signal(number: int, identity: str, name: str, at: datetime, fields: dict[str, str]) -> dict[str, object]:
    return {
        "@timestamp": at,
        "event.id": f"{number:032x}",
        "event.kind": "signal",
        "rule.id": identity,
        "rule.name": name,
        "hinomi.signal.role": "base",
        "hinomi.signal.level": "informational",
        "hinomi.signal.event_id": f"lane-0-00000001-{number:x}",
        "hinomi.signal.event_dataset": "fortinet.fortigate",
        "hinomi.signal.fields": orjson.dumps(fields).decode(),
    }


def _addresses(start: int, n: int, identity: str) -> pl.DataFrame:
    rows = []
    for number in range(start, start + n):
        fields = {
            "user.name": f"user{number % 9000:04}",
            "source.ip": f"198.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "source.zone": "external",
            "source.geo.country_iso_code": "RO",
            "event.action": "ssl-login-fail",
            "event.outcome": "failure",
            "event.code": "0101039426",
        }
        at = START + timedelta(milliseconds=number)
        rows.append(_signal(number, identity, "vpn_login_failed", at, fields))
    return pl.DataFrame(rows, schema=signal.SCHEMA)


if __name__ == "__main__":
    {"speed": speed, "groups": groups}[sys.argv[1]]() if len(sys.argv) > 1 else main()
