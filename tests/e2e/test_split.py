"""Split parts as real processes on a real cluster, each with its own rights: two of each, leaders killed."""

import secrets
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from collectors.indicators.held import FILE as INDICATORS
from hinomi.clock import JST, SystemClock
from hinomi.store.elastic.records import ElasticRecords
from ops import shared, stores
from ops.lease import KIND as LEASE
from ops.settings import read_settings
from responders.responder import desk
from rules.in_force import CHOICE
from tests import elastic
from tests.e2e.split import REFUSED, Inbox, Split, as_bulk
from tests.e2e.tower import Tower, free_port, until
from tests.responders.peers.fortios import FortiOs
from tests.responders.peers.served import served

pytestmark = [pytest.mark.slow, *elastic.ON_ELASTIC]
TOKEN = {"Authorization": "Bearer t0ken-for-tests"}


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def peer() -> FortiOs:
    return FortiOs("fw-token")


@pytest.fixture
def split(tmp_path: Path, inbox: Inbox, peer: FortiOs) -> Iterator[Split]:
    (tmp_path / "token").write_text("fw-token")
    with (
        served(inbox.app(), tmp_path / "a", tls=False) as hook,
        served(peer.app(), tmp_path / "b") as firewall,
    ):
        target = {
            "kind": "fortigate",
            "url": firewall.url,
            "ca": str(firewall.ca),
            "token": f"file:{tmp_path / 'token'}",
        }
        respond = {"playbooks": {"armed": ["block_address"]}, "connectors": {"firewall": target}}
        namespace = f"s{secrets.token_hex(5)}"
        made = Split(tmp_path, namespace, elastic.running(), [free_port()], f"{hook.url}/in", respond)
        made.prepare()
        yield made
        made.kill_all()


def _leads(tower: Tower, records: ElasticRecords) -> bool:
    lease, name = records.get(LEASE, tower.part), tower.data / "machine"
    return (
        lease is not None and name.exists() and str(lease.body["holder"]).startswith(f"{name.read_text()}/")
    )


def _attack(port: int, address: str) -> None:
    """Refused sign-ins from an address, now."""
    now, who = datetime.now(JST).strftime("%b %d %H:%M:%S"), address[:3]
    events = [
        (
            f"{address}-{n}",
            f"<38>{now} web{who} sshd[{n}]: Failed password for u{who} from {address} port 4000 ssh2",
        )
        for n in range(REFUSED)
    ]
    url = f"http://127.0.0.1:{port}/_bulk"
    answer = httpx.post(url, content=as_bulk(events), headers=TOKEN, timeout=10)
    assert answer.status_code == 200 and not answer.json()["errors"]


def test_leaders_die_and_nothing_is_done_twice(split: Split, inbox: Inbox, peer: FortiOs) -> None:
    """Two attacks, the leaders of detection and response killed with -9 between and during: the standbys take over
    within 15 s, each incident is told once, each address blocked by one change."""
    split.tower("collect")
    towers = {part: [split.tower(part, n) for n in range(2)] for part in ("detect", "respond")}
    for tower in split.running:
        tower.start(wait=False)
    for tower in split.running:
        until(tower.ready, 240, f"{tower.part} is ready")
    records = ElasticRecords(elastic.client(), split.namespace)
    _decided(split)
    records.put("user", "manager", {"roles": ["information_system_manager"]})
    _attack(split.ports[0], "203.0.113.9")
    until(lambda: sum(inbox.came.values()) >= 1, 90, "the first incident is told")
    _approve_all(records)
    leaders = [next(t for t in both if _leads(t, records)) for both in towers.values()]
    _attack(split.ports[0], "198.51.100.7")
    killed = time.monotonic()
    for leader in leaders:
        leader.kill()
    for part, both in towers.items():
        [other] = [tower for tower in both if tower not in leaders]
        until(
            lambda other=other: _leads(other, records),
            15 - (time.monotonic() - killed),
            f"{part} is taken over",
        )
    until(lambda: len(inbox.came) >= 2, 90, "the second incident is told")
    _approve_all(records)
    until(lambda: len(peer.group) == 2, 60, "both addresses are blocked")
    until(lambda: records.count("playbook_run", {"state": "done"}) == 2, 60, "both runs are done")
    time.sleep(2)  # a second copy would come now
    for tower in split.running:  # what was decided at the console, with just its right, is everywhere
        if tower not in leaders:
            assert (tower.data / "rules" / CHOICE).read_text() == "disable: []\n", tower.part
    assert (split.running[0].data / "indicators" / INDICATORS).read_bytes() == b"PAR1"
    assert set(inbox.came.values()) == {1}
    assert peer.calls.count("POST address") == peer.calls.count("PUT addrgrp/hinomi-block") == 2
    assert records.count("incident") == 2
    for tower in split.running:
        if tower not in leaders:
            assert tower.process is not None
            tower.process.send_signal(signal.SIGTERM)
    for tower in split.running:
        if tower not in leaders:
            assert tower.process is not None and tower.process.wait(60) == 0
    records.close()


def _decided(split: Split) -> None:
    """Switches written at a console, indicators at a responder: each with the rights of that part alone."""
    for part, content, name, said in (
        ("console", shared.rules, f"rules/{CHOICE}", b"disable: []\n"),
        ("respond", shared.indicators, f"indicators/{INDICATORS}", b"PAR1"),
    ):
        data, settings = split.folder / f"by-{part}", read_settings(split.config(part))
        (data / name).parent.mkdir(parents=True)
        own = stores.open_records(settings.store, data, SystemClock())
        copy = shared.Copy.of(content(data), own, data)
        copy.change(lambda data=data, name=name, said=said: (data / name).write_bytes(said), by="t.suzuki")
        own.close()


def _approve_all(records: ElasticRecords) -> None:
    """A person who may approves every plan that waits; a plan that changed meanwhile is looked at again."""
    people = desk(records, SystemClock(), b"k" * 32)
    until(lambda: records.count("approval", {"state": "open"}) >= 1, 60, "a plan waits for its decision")
    for approval in records.find("approval", {"state": "open"}):
        people.approve(approval.id, actor="manager", roles=["information_system_manager"])
