"""A storm of alerts over as many people: how many messages go out, whether what is serious waits, what a round costs when
100,000 old records of each kind lie there. Limits: at most 5 messages, the serious one in the very next round.

usage: python -m benchmarks.storm [alerts] [old records]
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
        started = time.process_time()
        for n in range(0, alerts, 500):
            batch = range(n, min(n + 500, alerts))
            tower.receive([alert(f"s{i}", level="medium", entities={"user.name": [f"u{i}"]}) for i in batch])
            clock.advance(timedelta(seconds=6))
            tower.tick()
        before = len(messages(Path(folder)))
        tower.receive([alert("grave", level="critical", entities={"user.name": ["mayor"]})])
        tower.tick()
        serious = len(messages(Path(folder))) > before
        clock.advance(timedelta(minutes=10))
        tower.tick()
        sent = len(messages(Path(folder)))
        took = time.process_time() - started
        print(
            f"{alerts:,} alerts over as many people: {sent} messages, {took / alerts * 1e3:.2f} ms CPU an alert"
        )
        print(f"the serious one went out in its own round: {serious}")
        return sent <= MOST_MESSAGES and serious


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]] or [10_000, 100_000]
    sys.exit(0 if main(numbers[0], numbers[1] if len(numbers) > 1 else 100_000) else 1)
