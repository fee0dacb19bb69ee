"""Least privilege on a real cluster: each part can do its work and is refused everything else."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

import polars as pl
import pytest
import yaml
from elasticsearch import ApiError, Elasticsearch

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store import Checkpoint
from hinomi.store.elastic import roles
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.roles import Part
from ops.elastic.node import User
from rules.costing import Fed
from rules.stats import Tally
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """A prepared namespace with an event, a signal and a record of some kinds, and a client a part."""

    namespace: str
    clients: Mapping[str, Elasticsearch]

    def events(self, part: Part) -> ElasticEvents:
        return ElasticEvents(self.clients[part], self.namespace)

    def records(self, part: Part) -> ElasticRecords:
        return ElasticRecords(self.clients[part], self.namespace)


def batch(dataset: str, name: str) -> Batch:
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([NOW]).cast(ecs.TIME),
            "event.id": [name],
            "event.original": ["line"],
            "user.name": ["t.yamada"],
        }
    )
    return Batch.of(dataset, frame, ingested=NOW)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Users of the file realm, one a part, with the roles that `hinomi store roles` prints."""
    there, namespace = elastic.running(), f"r{secrets.token_hex(5)}"
    users = {
        part: User(f"{namespace}_{part}", secrets.token_urlsafe(16), (roles.name_of(part, namespace),))
        for part in get_args(Part)
    }
    there.add(list(users.values()), roles.as_file(namespace))
    clients = {
        part: Elasticsearch(
            there.hosts(),
            ca_certs=str(there.ca),
            basic_auth=(user.name, user.password),
            request_timeout=60,
            max_retries=0,
        )
        for part, user in users.items()
    }
    _until_known(clients["setup"])
    made = Place(namespace, clients)
    made.events("setup").prepare(replicas=0)
    elastic_events = ElasticEvents(elastic.client(), namespace, refresh=True)
    elastic_events.append([batch("linux.auth", "e0"), batch(SIGNALS, "s0")])
    for kind in (
        "audit",
        "incident",
        "notification",
        "checkpoint",
        "user",
        "alert",
        "evidence_part",
        "shared_rules",
        "shared_lists",
    ):
        ElasticRecords(elastic.client(), namespace).put(kind, "first", {"n": 1})
    yield made
    for client in clients.values():
        client.close()


def _until_known(client: Elasticsearch) -> None:
    """The nodes read their files again after a moment."""
    end = time.monotonic() + 30
    while True:
        try:
            client.cluster.health()
        except ApiError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)
        else:
            return


def test_each_part_can_do_its_work(place: Place) -> None:
    """Collecting, detecting, responding, deciding and dropping work with just the rights of the part."""
    collect = place.events("collect")
    assert collect.is_prepared()
    sent = [batch("linux.auth", "e1"), batch("squid.access", "q1"), batch(SIGNALS, "s1")]
    assert collect.append(sent, checkpoint=Checkpoint("m/lane-0", "7")).stored == 3
    assert collect.append(sent).duplicates == 3
    assert collect.checkpoint("m/lane-0") == "7"
    counts = place.records("collect")
    counts.put("count", "a", {"n": 1})
    counts.put("rule_stat", "a", {"n": 1})
    counts.put("source", "a", {"n": 1})
    counts.delete("source", "a")
    counts.delete("rule_stat", "a")
    counts.find("rule_quarantine")
    for kind in ("arrival", "arrival_through"):  # what the rhythm of the sources is learned from
        counts.put(kind, "a", {"n": 1})

    detect = place.events("detect")
    assert sum(frame.height for _, frame in detect.since(SIGNALS, None)) >= 2
    detect.append([batch(SIGNALS, "s2")])
    for kind in ("state", "detected", "lease"):
        place.records("detect").put(kind, "a", {"n": 1}, expect=0)
    cost = Tally(place.records("detect"), "m/detect", FixedClock(NOW))
    cost.records.put(
        "rule_stat", "old", {"process": "m/detect", "hour": (NOW - timedelta(days=60)).isoformat()}
    )
    cost.fed(Fed(Counter({"rule": 0.5}), 1))
    cost.save(at_once=True)  # the hour's record, and old ones go
    [hour] = cost.records.find("rule_stat", {"process": "m/detect"})
    assert hour.body["seconds"] == {"rule": 0.5}

    respond = place.records("respond")
    for kind in (
        "alert",
        "incident",
        "notification",
        "playbook_run",
        "approval",
        "lease",
        "report",
        "audit_head",
    ):
        held = respond.get(kind, "a")
        respond.put(kind, "a", {"n": 1}, expect=held.version if held else 0)
    for kind in ("incident_nudge", "run_nudge"):
        place.records("console").put(kind, "a", {})
        assert respond.delete(kind, "a")
    respond.put("rhythm_place", "a", {"n": 1})
    assert respond.delete("arrival", "a")
    assert respond.append("incident_number", {"alert": "a"}).id == "000000000001"
    respond.put("audit", "000000000002", {"n": 1}, expect=0)
    assert place.events("respond").datasets() and place.events("console").datasets()
    assert place.events("respond").flaws() == place.events("console").flaws() == []
    assert (
        place.events("respond").append([batch(SIGNALS, "s3")]).stored == 1
    )  # of a look back after new indicators

    console = place.records("console")
    for kind in ("approval", "session", "suppression", "user", "incident"):
        console.put(kind, "b", {"n": 1}, expect=0)
    console.delete("session", "b")
    for kind in ("token", "attempt"):
        console.put(kind, "b", {"n": 1})
        assert console.delete(kind, "b")
    console.put("audit", "000000000003", {"n": 1}, expect=0)
    assert place.events("console").search("user.name: T.YAMADA").total >= 1
    for part, kind in (
        ("console", "shared_rules"),
        ("respond", "shared_lists"),
    ):  # what two versions ago was goes
        place.records(part).put(kind, "b", {"n": 1})
        assert place.records(part).delete(kind, "b")

    place.records("keep").put("snapshot", "b", {"n": 1})
    assert place.records("keep").delete("snapshot", "b")
    assert place.events("keep").drop("squid.access", datetime(2027, 1, 1, tzinfo=UTC)) <= 1


Work = Callable[[Place, Part], object]
WORK: dict[str, tuple[Work, frozenset[str]]] = {
    "add an event": (
        lambda p, part: p.clients[part].create(
            index=f"logs-linux.auth-{p.namespace}-2026.11.20", id=f"x-{part}", document={"@timestamp": NOW.isoformat()}
        ),
        frozenset({"collect"}),
    ),
    "add a signal": (
        lambda p, part: p.clients[part].create(
            index=f"logs-hinomi.signal-{p.namespace}-2026.11.20", id=f"x-{part}", document={"@timestamp": NOW.isoformat()}
        ),
        frozenset({"collect", "detect", "respond"}),
    ),
    "read an event": (
        lambda p, part: p.clients[part].get(index=f"logs-linux.auth-{p.namespace}-2026.11.20", id="e0"),
        frozenset({"detect", "respond", "console", "keep"}),
    ),
    "overwrite an event": (
        lambda p, part: p.clients[part].index(
            index=f"logs-linux.auth-{p.namespace}-2026.11.20", id="e0", document={"@timestamp": NOW.isoformat()}
        ),
        frozenset(),
    ),
    "delete an event": (
        lambda p, part: p.clients[part].delete(index=f"logs-linux.auth-{p.namespace}-2026.11.20", id="e0"),
        frozenset(),
    ),
    "delete an index of records": (
        lambda p, part: p.clients[part].indices.delete(index=f"hinomi-{p.namespace}-audit"),
        frozenset(),
    ),
    "change an audit entry": (
        lambda p, part: p.clients[part].index(
            index=f"hinomi-{p.namespace}-audit", id="first", document={"n": 2}
        ),
        frozenset(),
    ),
    "delete an audit entry": (
        lambda p, part: p.clients[part].delete(index=f"hinomi-{p.namespace}-audit", id="first"),
        frozenset(),
    ),
    "add evidence": (
        lambda p, part: p.records(part).put("evidence_part", f"x-{part}", {"n": 1}, expect=0),
        frozenset({"console", "respond"}),
    ),
    "change evidence": (
        lambda p, part: p.clients[part].index(
            index=f"hinomi-{p.namespace}-evidence_part", id="first", document={"n": 2}
        ),
        frozenset(),
    ),
    "delete evidence": (
        lambda p, part: p.clients[part].delete(index=f"hinomi-{p.namespace}-evidence_part", id="first"),
        frozenset(),
    ),
    "write a notification": (
        lambda p, part: p.records(part).put("notification", f"x-{part}", {"n": 1}),
        frozenset({"respond"}),
    ),
    "write a user": (
        lambda p, part: p.records(part).put("user", f"x-{part}", {"n": 1}),
        frozenset({"console"}),
    ),
    "read a user": (
        lambda p, part: p.clients[part].get(index=f"hinomi-{p.namespace}-user", id="first"),
        frozenset({"console", "respond"}),
    ),
    "write a kind of a feature to come": (
        lambda p, part: p.records(part).put("incident_something", f"x-{part}", {"n": 1}),
        frozenset({"console", "respond"}),
    ),
    "decide on rules": (
        lambda p, part: p.records(part).put("shared_rules", f"x-{part}", {"n": 1}),
        frozenset({"console"}),
    ),
    "share indicators": (
        lambda p, part: p.records(part).put("shared_lists", f"x-{part}", {"n": 1}),
        frozenset({"respond"}),
    ),
    "read what was decided on rules": (
        lambda p, part: p.clients[part].get(index=f"hinomi-{p.namespace}-shared_rules", id="first"),
        frozenset({"collect", "detect", "respond", "console"}),
    ),
    "read shared indicators": (
        lambda p, part: p.clients[part].get(index=f"hinomi-{p.namespace}-shared_lists", id="first"),
        frozenset({"collect", "respond", "console"}),
    ),
    "say that a machine waits for a decision": (
        lambda p, part: p.records(part).put("shared_undecided", f"x-{part}", {"n": 1}),
        frozenset({"collect", "detect", "respond", "console"}),
    ),
    "say that the store refuses events": (
        lambda p, part: p.records(part).put("refusal", f"x-{part}", {"n": 1}),
        frozenset({"collect"}),
    ),
    "write a hold": (
        lambda p, part: p.records(part).put("hold", f"x-{part}", {"n": 1}),
        frozenset({"console"}),
    ),
    "write a checkpoint": (
        lambda p, part: p.records(part).put("checkpoint", f"x-{part}", {"n": 1}),
        frozenset({"collect"}),
    ),
    "write a name of a field": (
        lambda p, part: p.records(part).put("field", f"x-{part}", {"n": 1}),
        frozenset({"collect", "detect", "respond"}),
    ),
    "write what a snapshot holds": (
        lambda p, part: p.records(part).put("snapshot", f"x-{part}", {"n": 1}),
        frozenset({"keep"}),
    ),
    "read another tower": (
        lambda p, part: p.clients[part].search(index="logs-linux.auth-other-2026.11.20"),
        frozenset(),
    ),
    "change the templates": (
        lambda p, part: p.clients[part].indices.put_index_template(
            name=f"hinomi-events-{p.namespace}-x", index_patterns=[f"zz-{p.namespace}-*"]
        ),
        frozenset({"setup"}),
    ),
    "change settings of the cluster": (
        lambda p, part: p.clients[part].cluster.put_settings(transient={"action.auto_create_index": None}),
        frozenset(),
    ),
    "change settings of an index": (
        lambda p, part: p.clients[part].indices.put_settings(
            index=f"logs-linux.auth-{p.namespace}-2026.11.20", settings={"index.refresh_interval": "30s"}
        ),
        frozenset(),
    ),
    "drop a day of events": (
        lambda p, part: p.clients[part].indices.delete(index=f"logs-linux.auth-{p.namespace}-2026.11.20"),
        frozenset({"keep"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WORK)
def test_everything_else_is_refused(place: Place, what: str) -> None:
    """Of all parts only those named can do it; the others are refused with 403, and nothing changes."""
    work, allowed = WORK[what]
    can = set()
    for part in sorted(roles.RIGHTS, key=lambda one: one in allowed):
        try:
            work(place, part)
            can.add(part)
        except ApiError as error:
            assert error.status_code == 403, f"{part}: {error}"
        except StoreError as error:
            assert "unauthorized" in str(error), f"{part}: {error}"
    assert can == allowed


def test_roles_are_one_in_both_forms() -> None:
    """The file and the API calls say the same, and no role may do everything."""
    written = yaml.safe_load(roles.as_file("default"))
    assert {f"/_security/role/{name}": body for name, body in written.items()} == dict(
        roles.as_calls("default")
    )
    assert "all" not in str(written) and "superuser" not in str(written)
