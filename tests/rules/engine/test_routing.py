"""Log sources: which events a rule sees, and under which names."""

import re
from pathlib import Path

import pytest

from collectors import catalogue
from hinomi.errors import ContentError
from rules.engine import logsource
from tests import shared
from tests.rules.engine import rulebook

WINDOWS = "windows.eventlog"
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def _image_rule(**logsource_: str) -> dict[str, object]:
    detection = {"sel": {"Image|endswith": r"\whoami.exe"}, "condition": "sel"}
    return rulebook.rule(detection, logsource=logsource_)


def _process(channel: str, code: str, **data: str) -> dict[str, object]:
    named = {f"winlog.event_data.{name}": value for name, value in data.items()}
    return {"winlog.channel": channel, "winlog.event_id": code, **named}


def test_process_creation_is_sysmon_and_security(tmp_path: Path) -> None:
    """Sysmon 1 by Image, Security 4688 by NewProcessName, and neither by the other's name or id."""
    loaded = rulebook.rules(tmp_path, _image_rule(product="windows", category="process_creation"))
    exe = r"C:\Windows\whoami.exe"
    events = [
        _process(SYSMON, "1", Image=exe),
        _process("Security", "4688", NewProcessName=exe),
        _process("Security", "4688", Image=exe),
        _process(SYSMON, "3", Image=exe),
        _process("security", "4688", NewProcessName=exe),
    ]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [0, 1, 4]
    assert loaded.match(rulebook.batch(events, "squid.access")).hits == []
    assert loaded.rules[0].feeds == (WINDOWS,)


def test_category_within_service(tmp_path: Path) -> None:
    """A rule that names both sees what lies in both."""
    loaded = rulebook.rules(
        tmp_path, _image_rule(product="windows", category="process_creation", service="security")
    )
    exe = r"C:\Windows\whoami.exe"
    events = [_process(SYSMON, "1", Image=exe), _process("Security", "4688", NewProcessName=exe)]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [1]


def test_a_category_of_any_product(tmp_path: Path) -> None:
    """`category: proxy` is every source that sees web traffic, Squid and FortiGate's web filter among them."""
    detection = {"sel": {"cs-host": "evil.example.jp"}, "condition": "sel"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource={"category": "proxy"}))
    assert {"fortinet.fortigate", "squid.access", "zscaler.zia"} <= set(loaded.rules[0].feeds)
    events = [{"url.domain": "EVIL.example.jp", "event.category": ["web"]}, {"url.domain": "example.jp"}]
    for dataset in ("fortinet.fortigate", "squid.access", "zscaler.zia"):
        assert loaded.match(rulebook.batch(events, dataset)).hits[0][1].tolist() == [0]


def test_our_own_product(tmp_path: Path) -> None:
    """`service` is a dataset; `category` is event.category in any dataset but our own books."""
    detection = {"sel": {"event.outcome": "failure"}, "condition": "sel"}
    source = {"product": "hinomi", "category": "authentication"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource=source))
    assert loaded.rules[0].feeds == ("*",)
    events = [
        {"event.outcome": "failure", "event.category": ["session", "authentication"]},
        {"event.outcome": "failure", "event.category": ["network"]},
    ]
    assert loaded.match(rulebook.batch(events, "linux.auth")).hits[0][1].tolist() == [0]
    assert loaded.match(rulebook.batch(events, "hinomi.signal")).hits == []


def test_fed_by_nothing_is_still_loaded(tmp_path: Path) -> None:
    """A rule that no source feeds is there, and says so."""
    loaded = rulebook.rules(tmp_path, _image_rule(product="plan9", category="process_creation"))
    assert loaded.rules[0].feeds == ()
    assert loaded.problems == []


def test_every_table_reads() -> None:
    """The tables that ship are well-formed and every route names a dataset."""
    tables = logsource.read()
    assert {table.product for table in tables.tables} >= {"windows", "linux", "fortigate", "m365", "azure"}
    assert all(route.dataset for table in tables.tables for route in table.all)


def test_unknown_key_in_a_table(tmp_path: Path) -> None:
    """A slip in a table is refused with file, line and the keys there are."""
    table = tmp_path / "x.yml"
    table.write_text("product: x\ndatasets: [x.y]\notherwise: x.{field}\nservice: {}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"x\.yml:4: service: .*services"):
        logsource.read(tmp_path)


def test_no_such_taxonomy(tmp_path: Path) -> None:
    """A taxonomy that is not there is refused with the names that are."""
    (tmp_path / "_taxonomy.yml").write_text("proxy: {c-uri: url.original}\n", encoding="utf-8")
    table = tmp_path / "x.yml"
    table.write_text(
        "product: x\ndatasets: [x.y]\notherwise: x.{field}\ncategories:\n  proxy: [{taxonomy: web}]\n",
        encoding="utf-8",
    )
    with pytest.raises(ContentError, match=r"x\.yml:5: .*taxonomy: .*proxy"):
        logsource.read(tmp_path)


def test_values_as_the_source_writes_them(tmp_path: Path) -> None:
    """Sysmon says `High`, Security 4688 says it by its SID; a rule that says `High` means both, and only whole values."""
    detection = {"sel": {"IntegrityLevel": ["High", "Sys*"]}, "condition": "sel"}
    source = {"product": "windows", "category": "process_creation"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource=source))
    events = [
        _process(SYSMON, "1", IntegrityLevel="high"),
        _process("Security", "4688", MandatoryLabel="S-1-16-12288"),
        _process("Security", "4688", MandatoryLabel="S-1-16-8192"),
        _process(SYSMON, "1", IntegrityLevel="System"),
        _process("Security", "4688", MandatoryLabel="S-1-16-16384"),
    ]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [0, 1, 3]


def test_every_dataset_of_a_table_is_a_source() -> None:
    """No route leads to a dataset that nobody fills."""
    routes = [
        route
        for table in logsource.read().tables
        for group in (table.categories, table.services)
        for found in group.values()
        for route in found
    ]
    assert {route.dataset for route in routes} <= {*catalogue.sources(), logsource.ANY_DATASET}


@pytest.mark.corpus
def test_every_log_source_of_the_specification() -> None:
    """Each row of the taxonomy appendix leads somewhere; what none of our sources carries stands in a table as such."""
    text = (shared.corpus("sigma-spec") / "sigma-appendix-taxonomy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]*\|([^|]*(?:category|service|product): [^|]*)\|", text, re.MULTILINE)
    named = [dict(re.findall(r"(product|category|service): *([^\s<|]+)", row)) for row in rows]
    tables = logsource.read()
    assert len(named) > 120
    assert [one for one in named if not tables.routes(one)] == [{"product": "huawei", "service": "ldp"}]


def test_deleted_files_that_sysmon_did_not_keep(tmp_path: Path) -> None:
    """`file_delete_detected` is Sysmon's 26, and 23 is not."""
    loaded = rulebook.rules(tmp_path, _image_rule(product="windows", category="file_delete_detected"))
    events = [_process(SYSMON, code, Image=r"C:\Windows\whoami.exe") for code in ("26", "23")]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [0]


def test_the_log_that_was_cleared(tmp_path: Path) -> None:
    """System's 104 names the log that was cleared; other events of System have only their own channel."""
    detection = {"sel": {"Channel": "System"}, "condition": "sel"}
    source = {"product": "windows", "service": "system"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource=source))
    events = [
        _process("System", "104", Channel="Application"),
        _process("System", "104", Channel="System"),
        _process("System", "7045", ServiceName="x"),
    ]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [1, 2]


def test_hashes_by_the_names_of_the_taxonomy(tmp_path: Path) -> None:
    """Sysmon writes all hashes into one text; a rule may ask for one of them."""
    detection = {"sel": {"sha1": "AB" * 20}, "condition": "sel"}
    source = {"product": "windows", "category": "process_creation"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource=source))
    events = [
        {**_process(SYSMON, "1", Hashes=f"SHA1={text.upper()}"), "process.hash.sha1": text}
        for text in ("ab" * 20, "cd" * 20)
    ]
    assert loaded.match(rulebook.batch(events, WINDOWS)).hits[0][1].tolist() == [0]


@pytest.mark.parametrize(
    ("service", "field", "hits"),
    [(None, "source.ip", [0, 1]), ("connection", "source.ip", [0, 1]), ("dns", "source.ip", [1])],
)
def test_the_network_category_is_in_ecs(
    tmp_path: Path, service: str | None, field: str, hits: list[int]
) -> None:
    """Sigma's `category: network` has ECS names and means whatever product saw the traffic."""
    source = {"category": "network"} | ({"service": service} if service else {})
    detection = {"sel": {field: "192.0.2.1"}, "condition": "sel"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection, logsource=source))
    events = [
        {"source.ip": "192.0.2.1", "event.category": ["network"], "network.protocol": "http"},
        {"source.ip": "192.0.2.1", "event.category": ["network"], "network.protocol": "dns"},
        {"source.ip": "192.0.2.1", "event.category": ["authentication"], "network.protocol": "dns"},
    ]
    for dataset in ("fortinet.fortigate", "isc.bind", "suricata.eve"):
        assert loaded.match(rulebook.batch(events, dataset)).hits[0][1].tolist() == hits
