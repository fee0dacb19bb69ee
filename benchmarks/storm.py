"""A storm of alerts over as many people, each with a plan to decide on: how many messages go out, whether what is serious
waits, what a round costs, also when 100,000 old records of each kind lie there.

Limits: at most 5 messages, each of the serious incidents in its own round, no round longer than 2 seconds of the processor.

Then a storm of which all alerts are one incident; its cost is printed and has no limit yet.

usage: python -m benchmarks.storm [alerts] [old records] [alerts of one incident]
"""

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from hinomi.store.embedded import SqliteRecords
from responders.responder import Responder
from tests.responders.city import alert, messages, responder

MOST_MESSAGES = 5
PORTION = 100  # alerts a round: about what half a second takes in
SERIOUS = 3


def aged(records: SqliteRecords, n: int) -> None:
    """Old finished runs, sent messages and closed incidents, in one transaction each thousand."""
    kinds = {"playbook_run": "done", "notification": "sent", "incident": ""}
    with records._writing() as db:
        for kind, state in kinds.items():
            body = f'{{"state":"{state}","status":"closed","sent":"2026-01-01","fields":{{}}}}'
            rows = ((kind, f"old-{number:07d}", 1, body, "2026-01-01T00:00:00+00:00") for number in range(n))
            db.executemany("insert into record values (?,?,?,?,?)", rows)


def cost(tower: Responder, rounds: int = 20) -> float:
    """CPU seconds of one quiet round."""
    started = time.process_time()
    for _ in range(rounds):
        tower.tick()
    return (time.process_time() - started) / rounds


def main(alerts: int = 10_000, old: int = 100_000) -> bool:
    """Measure; True when the limits hold."""
    with tempfile.TemporaryDirectory(prefix="hinomi-storm-") as folder:
        tower, clock = responder(Path(folder))
        fresh = cost(tower)
        assert isinstance(tower.records, SqliteRecords)
        aged(tower.records, old)
        loaded = cost(tower)
        print(
            f"a quiet round: {fresh * 1e3:.1f} ms CPU empty, {loaded * 1e3:.1f} ms with {old:,} old records a kind"
        )
        started, late, longest = time.process_time(), 0, 0.0
        for n in range(0, alerts, PORTION):
            own = range(n, min(n + PORTION, alerts))
            tower.receive(
                [
                    alert(
                        f"s{i}",
                        level="medium",
                        entities=_about(i),
                        playbook="block_address" if i % 4 == 0 else "",
                    )
                    for i in own
                ]
            )
            clock.advance(timedelta(seconds=120 * PORTION / alerts))
            longest = max(longest, cost(tower, 1))
            if n * SERIOUS // alerts != (n + PORTION) * SERIOUS // alerts:
                late += _serious(tower, Path(folder), n)
        clock.advance(timedelta(minutes=10))
        tower.tick()
        longest = max(longest, cost(tower, 1))
        sent = len(messages(Path(folder)))
        took = time.process_time() - started
        print(
            f"{alerts:,} alerts over as many people: {sent} messages, {took / alerts * 1e3:.2f} ms CPU an alert"
        )
        print(f"the longest round: {longest:.2f} s CPU; a quiet one after it: {cost(tower) * 1e3:.0f} ms")
        print(f"{SERIOUS} serious incidents in the midst of it: {late} not told in their own round")
        return sent <= MOST_MESSAGES and late == 0 and longest < 2


def shared(alerts: int) -> None:
    """A storm that is one incident, as all share an address: what an alert costs, quarter by quarter."""
    with tempfile.TemporaryDirectory(prefix="hinomi-storm-") as folder:
        tower, clock = responder(Path(folder))
        took = []
        for quarter in range(4):
            started = time.process_time()
            for n in range(quarter * alerts // 4, (quarter + 1) * alerts // 4, PORTION):
                own = range(n, min(n + PORTION, (quarter + 1) * alerts // 4))
                about = {"source.ip": ["203.0.113.66"]}
                tower.receive([alert(f"s{i}", entities={**about, "user.name": [f"u{i}"]}) for i in own])
                clock.advance(timedelta(seconds=1))
            took.append((time.process_time() - started) / (alerts // 4) * 1e3)
        tower.records.close()
    print(
        f"{alerts:,} alerts of one incident: {', '.join(f'{one:.1f}' for one in took)} ms CPU an alert by quarter"
    )


def _about(n: int) -> dict[str, list[str]]:
    return {"user.name": [f"u{n}"], "source.ip": [f"198.18.{n // 250}.{n % 250}"]}


def _serious(tower: Responder, folder: Path, n: int) -> bool:
    """Whether a serious incident in the storm was late."""
    before = len(messages(folder))
    tower.receive([alert(f"grave{n}", level="critical", entities={"user.name": [f"mayor{n}"]})])
    tower.tick()
    return len(messages(folder)) == before


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    numbers = [*given, *(10_000, 100_000, 2_000)[len(given) :]]
    held = main(*numbers[:2])
    shared(numbers[2])
    sys.exit(0 if held else 1)
