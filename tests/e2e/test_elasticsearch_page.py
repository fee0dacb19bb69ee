"""docs/elasticsearch.md, walked from its first command to its last on a real cluster."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from hinomi import ecs
from hinomi.alert import Alert, Level
from hinomi.batch import Batch
from hinomi.incident import Incident
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.elastic import distribution
from tests import elastic
from tests.e2e.page import PAGE, Block, Shell, blocks
from tests.e2e.tower import ROOT, free_port

pytestmark = [pytest.mark.slow, *elastic.ON_ELASTIC]
NOW = datetime.now(UTC).replace(microsecond=0)
EVENTS = 300
QUIET = "console: {port: 0}\nmetrics: {port: 0}\nrules: {packs: false}\n"
"""Beside each of the page's configurations: ports of our own, and no rules, whose loading is not what the page is about."""
_OF_USERS = ("roles.yml", "users", "users_roles")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The page's folders and addresses, as they are here."""
    there = elastic.running()
    node, hinomi, parts = there.nodes[0].configuration, tmp_path / "etc", tmp_path / "var"
    hinomi.mkdir()
    shutil.copy(there.ca, hinomi / "es-ca.pem")
    (hinomi / "es-password").write_text(there.administrator.password)
    hosts = ", ".join(there.hosts())
    made = Shell(
        tmp_path,
        {
            "https://127.0.0.1:9200": hosts,
            "https://10.20.5.11:9200, https://10.20.5.12:9200, https://10.20.5.13:9200": hosts,
            "user: hinomi\n": f"user: {there.administrator.name}\n",
            "/etc/hinomi": str(hinomi),
            "/etc/elasticsearch": str(node),
            "/var/lib/hinomi": str(parts),
            "/mnt/hinomi-snapshots": str(there.folder / "snapshots"),
            "/mnt/hinomi-copies": str(tmp_path / "copies"),
            "port: 5514": f"port: {free_port()}",
            "replicas: 1": f"replicas: {min(len(there.nodes) - 1, 1)}",
        },
    )
    _users_program(made.folder / "bin", node)
    before = {name: (node / name).read_bytes() for name in _OF_USERS}
    _wiped()
    yield made
    made.kill()
    _wiped()
    for name, text in before.items():  # other tests use this cluster: its users and roles are theirs again
        (node / name).write_bytes(text)
    _copied_to_others()


def _users_program(place: Path, node: Path) -> None:
    """`elasticsearch-users` as Elastic's packages have it: they know the node's folder, and leave its files to the node."""
    home = distribution.home(elastic.VERSION)
    java = distribution.java(21 if elastic.VERSION.startswith("9") else 17).parents[1]
    place.mkdir(exist_ok=True)
    program = place / "elasticsearch-users"
    owned = f"chown --reference={node}/elasticsearch.yml {node}/users {node}/users_roles"
    program.write_text(
        f'#!/bin/sh -e\nexport ES_PATH_CONF={node} ES_JAVA_HOME={java}\nbash {home}/bin/elasticsearch-users "$@"\n{owned}\n'
    )
    program.chmod(0o755)


def _copied_to_others() -> None:
    """ "Copy the three files to the others." """
    first, *others = elastic.running().nodes
    for node in others:
        for name in _OF_USERS:
            subprocess.run(["cp", "-p", first.configuration / name, node.configuration / name], check=True)


def _wiped() -> None:
    """As a cluster just installed: the page's namespace holds nothing."""
    client = elastic.client()
    for name in client.indices.get(index="logs-*-default-*,hinomi-default-*", filter_path="*.aliases"):
        client.indices.delete(index=name)
    for template in ("hinomi-events-default", "hinomi-records-default"):
        client.options(ignore_status=404).indices.delete_index_template(name=template)
    client.options(ignore_status=404).cluster.delete_component_template(name="hinomi-events-default-*")
    client.options(ignore_status=404).snapshot.delete_repository(name="hinomi*")
    client.close()


def _embedded(data: Path) -> None:
    """A data folder as a stopped tower left it: some events, incident #12."""
    data.mkdir()
    events, records = ParquetEvents(data / "events"), SqliteRecords(data / "records.sqlite")
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([NOW] * EVENTS).cast(ecs.TIME),
            "event.id": [f"e{n}" for n in range(EVENTS)],
            "event.original": [f"Failed password for u{n} from 203.0.113.9" for n in range(EVENTS)],
            "event.outcome": ["failure"] * EVENTS,
        }
    )
    events.append([Batch.of("linux.auth", frame, ingested=NOW)])
    alert = Alert(
        id="a", rule_id="r", rule_name="r", title_ja="警報", title_en="alert", level=Level.HIGH, kind="detection", first=NOW, last=NOW,
        detected=NOW, datasets=["linux.auth"], incident_id="i",
    )  # fmt: skip
    incident = Incident(
        id="i", number=12, title_ja="件", title_en="case", level=Level.HIGH, first=NOW, last=NOW, opened=NOW, updated=NOW,
        alert_ids=["a"],
    )  # fmt: skip
    records.put("alert", "a", alert.model_dump(mode="json"))
    records.put("incident", "i", incident.model_dump(mode="json"))
    events.close()
    records.close()


RULE = """
title: Refused
id: 1d0f1d3e-7f6a-4a53-8f5c-6a5f6f2b9c11
logsource: {product: hinomi, service: linux.auth}
detection:
  selection: {event.outcome: failure}
  condition: selection
level: low
"""


def test_the_page_is_walked_from_its_first_command_to_its_last(shell: Shell) -> None:
    """Each block in order, and none left over: a tower on a trial cluster, its end, three nodes' settings, a user a part,
    templates, moving, the parts with their own rights, the doctor, holds, snapshots, copies, a hunt, its signals told by
    the responder's user, and at last the snapshot on a cluster that holds nothing."""
    page = iter(blocks(PAGE.read_text(encoding="utf-8")))
    _trial(shell, page)
    _settings_of_a_node(next(page))
    _users_and_configurations(shell, page)
    assert "prepared" in shell.run(next(page).text)
    _moved(shell, next(page))
    shell.run(next(page).text)  # the four parts run from here on
    told = shell.run(next(page).text)
    assert f"(store: {EVENTS:,} events" in told and "×" not in told, told
    shared = shell.run(next(page).text)
    assert "is shared" in shared, shared
    back = _kept(shell, page)
    (shell.folder / "new_rule.yml").write_text(RULE)
    looked, told = shell.run(next(page).text).splitlines()[-3::2]
    assert f"{EVENTS:,} 件" in looked and "new signals 0" in looked
    assert f"new signals {EVENTS}" in told
    shell.stop()
    _wiped()
    told = shell.run(back)
    assert re.search(r"restored: [\d,]+ events", told) and "hinomi-default-" in told, told
    assert _held() == EVENTS
    assert list(page) == [], "a block of the page that nobody runs"


def _trial(shell: Shell, page: Iterator[Block]) -> None:
    """`make es` is what runs the test's own cluster; a whole tower on it."""
    for line in next(page).text.splitlines():
        said = subprocess.run(
            ["make", "-n", *_words(line)[1:]], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        assert "ops.elastic run" in said
        nodes = re.findall(r"--nodes (\d)", line)
        assert re.findall(r"--nodes (\d)", said) == nodes
    settings = next(page)
    assert settings.language == "yaml"
    (shell.folder / "hinomi.yaml").write_text(shell.here(settings.text) + QUIET)
    assert "prepared" in shell.run(next(page).text)
    shell.stop()
    _wiped()
    shutil.rmtree(shell.folder / "hinomi-data")


def _words(line: str) -> list[str]:
    """A command's words, without what stands behind #."""
    return shlex.split(line, comments=True)


def _settings_of_a_node(block: Block) -> None:
    """Every setting of the page's elasticsearch.yml is one that the test's nodes run with."""
    wanted = _flat(yaml.safe_load(block.text))
    node = elastic.running().nodes[0]
    held = yaml.safe_load((node.configuration / "elasticsearch.yml").read_text())
    assert set(wanted) <= set(_flat(held)), set(wanted) - set(_flat(held))


def _flat(settings: dict[str, object], path: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{path}{name}.") if isinstance(value, dict) else {f"{path}{name}": value}
    return found


def _users_and_configurations(shell: Shell, page: Iterator[Block]) -> None:
    shell.run(next(page).text)
    _copied_to_others()
    base = next(page)
    assert base.language == "yaml"
    _, *lines = base.text.splitlines(keepends=True)
    (shell.folder / "etc" / "base.yaml").write_text(QUIET + shell.here("".join(lines)))
    shell.run(next(page).text)


def _moved(shell: Shell, block: Block) -> None:
    _embedded(shell.folder / "hinomi-data")
    told = shell.run(block.text)
    assert f"{EVENTS:,} events" in told and "✗" not in told


def _held() -> int:
    """Lines of linux.auth on the cluster, in indices of this release's form."""
    events = ElasticEvents(elastic.client(), "default")
    assert events.is_prepared() and not events.is_of_earlier_release()
    number = events.count(datasets=["linux.auth"])
    events.close()
    return number


def _kept(shell: Shell, page: Iterator[Block]) -> str:
    """Periods, a hold and its end by the console's user, a snapshot by the keeper, a copy of the embedded store and back.
    The commands that bring the last snapshot back onto another cluster."""
    periods = next(page)
    assert periods.language == "yaml"
    (shell.folder / "etc" / "respond.d").mkdir()
    (shell.folder / "etc" / "respond.d" / "retention.yaml").write_text(periods.text)
    told = shell.run(next(page).text)
    assert "市 情報セキュリティ" in told or "総務省ガイドライン 6.1(6)" in told
    assert "シャード / shards" in told and "満杯" in told
    assert "保存します" in told and "終了" in told
    first, second, *listed = re.findall(r"hinomi-default-\d{8}-\d{6}", told)
    assert first != second and {first, second} <= set(listed)
    records = ElasticRecords(elastic.client())
    assert [one.body["reason"] for one in records.find("hold")] == ["捜査機関からの照会"]
    records.close()
    anew = re.sub(r"restore hinomi-default-\d{8}-\d{6}", f"restore {second}", next(page).text)
    copies = next(page).text
    made, listed, back = copies.splitlines()
    name = shell.run(made).strip()
    assert name in shell.run(listed)
    assert f"{EVENTS:,} events" in shell.run(re.sub(r"restore hinomi-\d{8}-\d{6}", f"restore {name}", back))
    return anew
