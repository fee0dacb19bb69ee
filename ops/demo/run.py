"""`hinomi demo`: a day of the fictitious city through the real path, and what was found in it."""

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from dashboards.users import Users
from hinomi.clock import JST, SystemClock
from hinomi.errors import HinomiError
from hinomi.store import Records
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops import folders, reports
from ops.counts import totals
from ops.demo.clockwork import last_working_day
from ops.demo.scenario import Scenario
from ops.demo.sending import send_all
from ops.demo.show import outcome, show
from ops.demo.tower import DemoTower
from ops.settings import read_settings

_SETTLE, _LIMIT = 4.0, 900.0
PEOPLE = {
    "sato": ("佐藤 分析", ["analyst"]),
    "suzuki": ("鈴木 課長", ["analyst", "information_system_manager"]),
}


def run(folder: Path | None, *, keep: bool, scale: float, seed: int, day: date | None) -> bool:
    """Run the demo; True when every planted step was found and nothing else was raised."""
    console = Console()
    place = folder or Path(tempfile.mkdtemp(prefix="hinomi-demo-"))
    folders.make(place)
    if (place / "data").exists():
        raise HinomiError(
            f"{place} には前のデモがあります。消すか別の場所を。", f"{place} holds an earlier demo"
        )
    today = day or last_working_day((SystemClock().now().astimezone(JST) - timedelta(days=1)).date())
    console.print(f"架空の市の {today} のログを作ります / writing a day of logs: {place}")
    manifest = Scenario(today, seed=seed, scale=scale).write(place / "city")
    tower = DemoTower(place, manifest)
    tower.configure()
    records = SqliteRecords(tower.data / "records.sqlite")
    passwords = _people(records)
    try:
        tower.start()
        started = time.monotonic()
        sent = send_all(tower)
        console.print(
            f"{sent:,} 行を {len(manifest.streams)} のソースから送りました / lines sent, waiting until all is looked at"
        )
        _wait(tower, records, sent)
        took = time.monotonic() - started
        found = outcome(records, manifest)
        show(found, console)
        _where(console, tower, records, today, took, sent, found.notified, passwords, keep=keep)
        if keep:
            console.print("止めるには Ctrl-C / stop with Ctrl-C")
            while tower.process is not None and tower.process.poll() is None:
                time.sleep(0.5)
    finally:
        tower.stop()
    return found.good


def _people(records: Records) -> dict[str, str]:
    """An analyst and an approver with passwords of this run only."""
    import secrets

    users = Users(records, SystemClock())
    passwords = {name: secrets.token_urlsafe(12) for name in PEOPLE}
    for name, (full_name, roles) in PEOPLE.items():
        users.create(name, passwords[name], roles=roles, full_name=full_name)
    return passwords


def _wait(tower: DemoTower, records: Records, sent: int) -> None:
    """Until every line went through the pipeline, and alerts and messages have settled."""
    deadline, still, last = time.monotonic() + _LIMIT, 0.0, (-1, -1, -1)
    while True:
        received = sum(n for line, n in totals(records).items() if line.what == "received")
        now = (received, records.count("alert"), records.count("notification", {"state": "sent"}))
        if now != last:
            still, last = time.monotonic(), now
        if received >= sent and time.monotonic() - still > _SETTLE:
            return
        if time.monotonic() > deadline:
            raise HinomiError(
                f"{sent} 行のうち {received} 行しか処理されません。",
                f"only {received} of {sent} lines went through",
            )
        time.sleep(0.2)


def _console(tower: DemoTower, passwords: dict[str, str], *, keep: bool) -> list[str]:
    """Where the console is while the tower runs, else how to see it."""
    if not keep:
        return ["画面を見るには / to see the console: make demo DEMO_ARGS=--keep"]
    address = f"画面 / console: http://127.0.0.1:{tower.console_port}/"
    return [address, *(f"  {name}: {password}" for name, password in passwords.items())]


def _where(
    console: Console,
    tower: DemoTower,
    records: Records,
    day: date,
    took: float,
    sent: int,
    notified: int,
    passwords: dict[str, str],
    *,
    keep: bool,
) -> None:
    events = ParquetEvents(tower.data / "events")
    made = reports.write(
        "daily-digest",
        day,
        read_settings(tower.config),
        SystemClock(),
        events,
        records,
        tower.folder / "reports",
        data=tower.data,
    )
    events.close()
    lines = [
        f"{took:.0f} 秒({sent / took:,.0f} 行/秒)、通知 {notified} 件 / {took:.0f} s, {notified} notifications",
        *_console(tower, passwords, keep=keep),
        f"通知の文面 / messages: {tower.folder / 'messages'}",
        f"日次報告 / daily digest: {', '.join(str(one.path) for one in made)}",
        f"検索 / search: .venv/bin/hinomi search --data {tower.data} 'source.ip: 203.0.113.66'",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
