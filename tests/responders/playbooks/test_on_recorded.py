"""Every playbook in simulation on incidents that the real engine makes of raw log lines: those beside the rules."""

import pytest

from ops import begins
from responders.incidents.graph import graph
from responders.playbooks.named import inputs, offered
from responders.playbooks.planning import plan
from responders.playbooks.playbook import catalogue
from responders.playbooks.rehearsal import rehearse
from responders.playbooks.run import Run, StepState
from responders.playbooks.settings import PlaybookSettings
from tests.responders.city import NIGHT
from tests.responders.playbooks import recorded

PLAYBOOKS = catalogue()
pytestmark = pytest.mark.xdist_group("recorded")
ACTING = {name for name, playbook in PLAYBOOKS.items() if playbook.acts}
BY_RULE = {
    "account_takeover": "lan/privileged_group_change",
    "account_takeover_google": "saas/workspace_suspicious_login",
    "account_takeover_m365": "saas/risky_sign_in",
    "block_address": "telework/vpn_spray",
    "cloud_admin_change": "saas/admin_role",
    "inner_segment_intrusion": "lan/telework_to_mynumber",
    "insider_export": "lan/usb_in_mynumber",
    "isolate_endpoint": "lan/credentials_dumped",
    "malware_endpoint": "lan/malware_outbreak",
    "ransomware": "lan/shadow_copies_deleted",
    "rpa_misuse": "city/rpa_interactive",
    "server_intrusion": "lan/linux_account_uid0",
    "storage_exposure": "cloud/aws_storage_opened",
    "vpn_compromise": "telework/vpn_login_abroad",
}
"""The playbooks that rules name, each with one of these rules."""
BY_HAND = {
    "ddos": "lan/attack_let_through",
    "lost_device": "telework/vpn_login_abroad",
    "missent_mail": "saas/secrets_leave_by_rule",
    "phishing_campaign": "saas/secrets_leave_by_rule",
    "supplier_incident": "telework/vpn_login_abroad",
    "web_defacement": "cloud/portal_probed",
}
"""Those that people start, each with a rule whose incident offers them the targets."""
MORE = (
    "lan/segment_scan",
    "lan/ssh_brute_force",
    "lan/mynumber_crossing",
    "lan/botnet_contact",
    "lan/ids_many_signatures",
    "city/bulk_resident_view",
    "cloud/oci_mass_delete",
    "cloud/aws_trail_stopped",
    "cloud/azure_mass_delete",
)


def planned(playbook: str, file: str = "") -> Run:
    """The plan of a playbook for its recorded incident, as the tower makes it, or as a person would who takes what is offered."""
    file = file or {**BY_RULE, **BY_HAND}[playbook]
    incident, alerts = recorded.incident(file)
    named = offered(incident, inputs(PLAYBOOKS[playbook])) if playbook in BY_HAND else None
    return plan(incident, alerts, PLAYBOOKS[playbook], PlaybookSettings(), NIGHT, named=named)


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_green_on_what_was_recorded(name: str) -> None:
    """No step fails, each act happens once and only to whom the alerts name, and undo leaves nothing that can be undone."""
    for file in {*BY_RULE.values(), *BY_HAND.values(), *MORE}:
        incident, alerts = recorded.incident(file)
        went = rehearse(PLAYBOOKS[name], incident, alerts)
        assert went.green, [(step.title_ja, step.state, step.result_ja) for step in went.run.steps]
        assert len(went.acts) == len(set(went.acts)) == sum(s.state is StepState.DONE for s in went.run.acts)
        named = {value for one in alerts for values in one.entities.values() for value in values}
        spelled = {value.split("@")[0].rsplit("\\", 1)[-1].lower() for value in named}
        hosts = {value.split(".")[0] for value in spelled}
        assert {target for _, target in went.acts} <= named | spelled | hosts


@pytest.mark.parametrize("name", sorted(ACTING))
def test_each_playbook_acts_on_a_real_event(name: str) -> None:
    """From log lines to the plan: at least one act for somebody whom the events name. A rule that names the playbook is its start."""
    run = planned(name)
    assert run.acts, [step.title_ja for step in run.steps]
    incident, _ = recorded.incident({**BY_RULE, **BY_HAND}[name])
    assert (name in incident.playbooks) is (name in BY_RULE)


def test_every_playbook_that_acts_is_asked() -> None:
    """Those that rules name start by a rule; the others by hand."""
    named = {name for name in ACTING if begins.naming(recorded.PACKS)[name]}
    assert set(BY_RULE) == named and set(BY_HAND) == ACTING - named


def test_every_action_of_the_library_is_in_a_plan() -> None:
    """Each action that a shipped playbook names is planned for a real event of one of its incidents."""
    wanted = {step.act for name in ACTING for step in PLAYBOOKS[name].acts}
    runs = [planned(name) for name in ACTING]
    runs += [planned("malware_endpoint", f"lan/{file}") for file in ("botnet_contact", "ids_many_signatures")]
    assert wanted - {step.act for run in runs for step in run.acts} == set()


def test_a_machine_s_own_account_is_no_person() -> None:
    """A stick in JT-0101, of which the log names JT-0101$: the machine's port is shut, its account in the directory is let be."""
    _, alerts = recorded.incident("lan/usb_in_mynumber")
    assert alerts[0].entities["user.name"] == ["JT-0101$"]
    assert {(step.act, *step.values.values()) for step in planned("insider_export").acts} == {
        ("switch.shut_port", "jt-0101")
    }


def test_the_zone_that_was_reached_is_the_segment_to_cut() -> None:
    """From the lines of a firewall to the plan: the segment of the zone, named at the gate to whoever approves the cut."""
    steps = planned("inner_segment_intrusion").steps
    [cut] = [step for step in steps if step.act == "router.cut_segment"]
    [gate] = [step for step in steps if step.index == cut.gate]
    assert cut.values == {"segment": "mynumber"} and "(対象: マイナンバー利用事務系)" in gate.title_ja


def test_a_cloud_s_things_are_nodes_of_the_graph() -> None:
    """Deleted resources of Azure, tied to who deleted them."""
    incident, alerts = recorded.incident("cloud/azure_mass_delete")
    made = graph(alerts)
    assert {node.kind for node in made.nodes} >= {"user", "cloud"}
    assert incident.entities["cloud.resource.id"] == alerts[-1].entities["cloud.resource.id"]
