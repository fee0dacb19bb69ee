"""What feeds a rule, and what of it no source fills."""

from pathlib import Path

import pytest

from rules import content
from rules.feeding import feeding
from tests import shared
from tests.rules.engine import rulebook


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
