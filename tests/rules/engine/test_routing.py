"""Log sources: which events a rule sees, and under which names."""

from pathlib import Path

import pytest

from collectors import catalogue
from hinomi.errors import ContentError
from rules.engine import logsource
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
    assert {route.dataset for route in routes} <= set(catalogue.sources())
