"""Every playbook in simulation on incidents that the real engine makes of raw log lines: those beside the rules."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hinomi.alert import Alert
from hinomi.incident import Incident
from ops.folders import packs_folder
from responders.incidents.graph import graph
from responders.playbooks.planning import plan
from responders.playbooks.playbook import catalogue
from responders.playbooks.rehearsal import rehearse
from responders.playbooks.run import StepState
from responders.playbooks.settings import PlaybookSettings
from rules import cases, content, engine
from rules.case_lines import Lines
from rules.cases import START
from rules.correlation import ruling
from tests.responders.city import NIGHT, responder

PLAYBOOKS = catalogue()
RECORDED = (
    "telework/vpn_spray",
    "lan/segment_scan",
    "lan/ssh_brute_force",
    "lan/mynumber_crossing",
    "cloud/oci_mass_delete",
    "cloud/aws_trail_stopped",
    "cloud/azure_mass_delete",
)


@cache
def recorded() -> dict[str, tuple[Incident, list[Alert]]]:
    """Raw lines → parsed → matched → correlated → alerts → an incident, each as the tower does it."""
    packs = packs_folder()
    rules = engine.load([packs])
    made, found = ruling.of(rules), {}
    for name in RECORDED:
        file = packs / f"{name}.yml"
        trial = content._Trial(
            rules, made, content._ids_in(file), content._dataset(rules, file), Lines(START)
        )
        written = [case for _, case in cases.read(packs / f"{name}.test.yml") if case.body["match"]]
        trial.lines.read(pair for case in written for pair in cases.raw_lines(case, trial.home(case)))
        alerts = [
            one
            for one in trial._alerts(written[0])
            if one.rule_id in trial.own and one.level != "informational"
        ]
        with TemporaryDirectory() as folder:
            tower, _ = responder(Path(folder))
            [incident] = tower.receive(alerts)
            held = tower.records.get("incident", incident.id)
            assert held is not None
            found[name] = Incident.model_validate(held.body), alerts
            tower.records.close()
    return found


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_green_on_what_was_recorded(name: str) -> None:
    """No step fails, each act happens once and only to whom the alerts name, and undo leaves nothing that can be undone."""
    for incident, alerts in recorded().values():
        went = rehearse(PLAYBOOKS[name], incident, alerts)
        assert went.green, [(step.title_ja, step.state, step.result_ja) for step in went.run.steps]
        assert len(went.acts) == len(set(went.acts)) == sum(s.state is StepState.DONE for s in went.run.acts)
        named = {value for one in alerts for values in one.entities.values() for value in values}
        assert {target for _, target in went.acts} <= named | {value.split("@")[0] for value in named}


def test_the_rule_s_own_playbook_does_something() -> None:
    """Of the incidents whose rule names a playbook, at least one act is planned for somebody whom it names."""
    acted = [
        bool(rehearse(PLAYBOOKS[alerts[0].playbook], incident, alerts).acts)
        for incident, alerts in recorded().values()
        if alerts[0].playbook
    ]
    assert sum(acted) >= 3, acted


def test_the_zone_that_was_reached_is_the_segment_to_cut() -> None:
    """From the lines of a firewall to the plan: the segment of the zone, named at the gate to whoever approves the cut."""
    incident, alerts = recorded()["lan/mynumber_crossing"]
    steps = plan(incident, alerts, PLAYBOOKS["inner_segment_intrusion"], PlaybookSettings(), NIGHT).steps
    [cut] = [step for step in steps if step.act == "router.cut_segment"]
    [gate] = [step for step in steps if step.index == cut.gate]
    assert cut.values == {"segment": "mynumber"} and "(対象: mynumber)" in gate.title_ja


def test_a_cloud_s_things_are_nodes_of_the_graph() -> None:
    """Deleted resources of Azure, tied to who deleted them."""
    incident, alerts = recorded()["cloud/azure_mass_delete"]
    made = graph(alerts)
    assert {node.kind for node in made.nodes} >= {"user", "cloud"}
    assert incident.entities["cloud.resource.id"] == alerts[-1].entities["cloud.resource.id"]
