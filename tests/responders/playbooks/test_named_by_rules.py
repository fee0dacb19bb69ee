"""The playbook that a rule names is one that can do something about what the rule found."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from hinomi import yamlfile
from hinomi.alert import Level
from responders.playbooks.playbook import catalogue
from responders.playbooks.step import OF_INCIDENT
from tests.responders.playbooks import recorded

PLAYBOOKS = catalogue()
pytestmark = pytest.mark.xdist_group("recorded")
_PLAN = re.compile("計画「([^」]+)」")


def speaking() -> Iterator[tuple[str, dict[str, Any]]]:
    """(file, rule) of every rule that people hear of."""
    for name in recorded.names():
        for document in yamlfile.read_all(recorded.PACKS / f"{name}.yml"):
            if isinstance(document.value, dict) and document.value.get("level") != "informational":
                yield name, document.value


def _playbook(rule: dict[str, Any]) -> str:
    return str((rule.get("hinomi") or {}).get("playbook") or "")


def test_the_alerts_carry_whom_the_playbook_acts_on() -> None:
    """At least one act is for a field that alerts of the rule's own cases carry; else its plan could never do anything."""
    named = {str(rule["name"]): _playbook(rule) for _, rule in speaking() if _playbook(rule)}
    carried: dict[str, set[str]] = defaultdict(lambda: {OF_INCIDENT})
    for file in sorted({file for file, rule in speaking() if _playbook(rule)}):
        for alert in recorded.every_alert(file):
            carried[alert.rule_name] |= set(alert.entities)
    acts = {name: {step.value for step in playbook.acts} for name, playbook in PLAYBOOKS.items()}
    wrong = {rule: name for rule, name in named.items() if acts[name] and not acts[name] & carried[rule]}
    assert len(named) > 80 and wrong == {}


def test_what_to_do_names_no_other_plan() -> None:
    """「計画「…」を承認者に諮って」 is about the plan that lies before the reader."""
    for file, rule in speaking():
        titles = set(_PLAN.findall(str(rule.get("what_to_do_ja", ""))))
        assert titles <= {PLAYBOOKS[_playbook(rule)].title_ja} if titles else True, (file, titles)


def test_vpn_sessions_are_ended_where_somebody_came_by_vpn() -> None:
    """A taken-over cloud account is not stopped by the firewall and the city's own directory; what a cloud's own directory does
    is for its own accounts."""
    for file, rule in speaking():
        acts = {step.act for step in PLAYBOOKS[_playbook(rule)].acts} if _playbook(rule) else set()
        room = file.partition("/")[0]
        assert "firewall.end_vpn_session" not in acts or room == "telework", file
        assert "cloud_directory.end_sessions" not in acts or room in {"saas", "cloud", "telework"}, file


def test_no_server_is_cut_off_for_what_it_tells_of_others() -> None:
    """A resolver, a gateway, a backup or mail server, the management of machines, and a domain controller where it tells of tickets
    and locks: their rules propose no isolation, which would hit them and leave the machine that it is about."""
    tellers, of_directory = (
        {"ns01", "gw01", "bk01", "mx01", "vc01"},
        {"kerberoasting", "kerberos_spray", "many_lockouts"},
    )
    for file in recorded.names():
        for alert in recorded.every_alert(file):
            acts = (
                PLAYBOOKS[alert.playbook].acts
                if alert.playbook and alert.level.rank >= Level.HIGH.rank
                else []
            )
            if any(step.act == "endpoint.isolate" for step in acts):
                told = {value.split(".")[0].lower() for value in alert.entities.get("host.name", [])}
                assert not told & tellers and alert.rule_name not in of_directory, (file, told)
