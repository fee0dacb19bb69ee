"""What feeds a rule, and what of it no source fills."""

from pathlib import Path

import pytest

from rules import content
from rules.feeding import feeding
from tests import shared
from tests.rules.engine import rulebook

_ID = "11111111-2222-4333-8444-555555555555"


def test_each_rule_says_what_feeds_it(tmp_path: Path) -> None:
    """Fed, fed but for a field, fed by nothing, and without a placeholder's value: each is said of its rule."""
    sources = [
        {"product": "linux", "category": "process_creation"},
        {"category": "proxy"},
        {"product": "plan9"},
        {"product": "windows", "service": "security"},
    ]
    searches = [
        {"Image": "/bin/a", "ParentImage": "/bin/b"},
        {"cs-method": "GET"},
        {"f": "x"},
        {"SubjectUserName|expand": "%people%"},
    ]
    written = [
        rulebook.rule(
            {"sel": sel, "condition": "sel"}, logsource=source, id=f"{n}1111111-2222-4333-8444-555555555555"
        )
        for n, (sel, source) in enumerate(zip(searches, sources, strict=True))
    ]
    linux, proxy, nothing, placeholder = feeding(rulebook.rules(tmp_path, *written))
    assert linux.unmapped["elastic.auditbeat"] == ("ParentImage",)
    assert "windows.eventlog" not in linux.unmapped  # Sysmon for Linux has the parent
    assert "netskope.events" in proxy.unmapped  # its method is not in the example lines
    assert "squid.access" not in proxy.unmapped
    assert nothing.reason is not None
    assert "plan9" in nothing.reason.en
    assert placeholder.reason is not None
    assert "people" in placeholder.reason.en
    assert "ParentImage" in linux.line()
    assert nothing.line().startswith("×")


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ({"product": "vpn"}, "service: connected, service: refused"),
        ({"product": "windws", "service": "security"}, "product: windows,"),
        ({"product": "windows", "category": "prozess_creation"}, "category: process_creation,"),
        ({"category": "firewal"}, "category: firewall"),
    ],
)
def test_what_may_have_been_meant_is_said(tmp_path: Path, source: dict[str, str], meant: str) -> None:
    """Of a log source that nothing carries: what a product has, or names spelled alike."""
    [fed] = feeding(
        rulebook.rules(
            tmp_path, rulebook.rule({"sel": {"f": "x"}, "condition": "sel"}, logsource=source, id=_ID)
        )
    )
    assert fed.reason is not None
    assert f"; there is {meant}" in f"{fed.reason.en},"


def test_nothing_is_said_to_be_meant_where_nothing_is_like_it(tmp_path: Path) -> None:
    """A product that nobody collects, and two names that exist but never together."""
    for source in (
        {"product": "plan9"},
        {"product": "linux", "category": "process_creation", "service": "sshd"},
    ):
        written = rulebook.rule({"sel": {"f": "x"}, "condition": "sel"}, logsource=source, id=_ID)
        [fed] = feeding(rulebook.rules(tmp_path / source["product"], written))
        assert fed.reason is not None and "there is" not in fed.reason.en


@pytest.mark.corpus
def test_the_public_collection(run_cache: Path) -> None:
    """All 3,780 rules are listed; few have no source, and of these each says so; what is unmapped is bounded."""
    report = content.check([shared.corpus("sigma")], run_cache)
    listed = report.as_json()["rules"]
    assert len(listed) == 3780
    assert report.unfed < 10
    assert all(rule["reason"] for rule in listed if not rule["feeds"])
    assert sum(bool(rule["unmapped"]) for rule in listed) < 120
    assert not [rule["title"] for rule in listed if "windows.eventlog" in rule["unmapped"]]
