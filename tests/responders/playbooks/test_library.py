"""Every playbook that comes with Hinomi: read, mapped to clauses, and carried through whole in simulation."""

import itertools
import re

import pytest

from hinomi.alert import ENTITIES as NAMED
from responders import clauses
from responders.connectors.actions import ACTIONS
from responders.duties.duty import duties
from responders.incidents.entities import FIELDS
from responders.playbooks.planning import plan
from responders.playbooks.playbook import Playbook, catalogue
from responders.playbooks.rehearsal import rehearse
from responders.playbooks.run import StepState
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.step import TARGETS, walked
from responders.roles import RANKS
from tests.responders.city import NIGHT, alert
from tests.responders.playbooks.stage import ENTITIES, incident

PLAYBOOKS = catalogue()
CASES = {
    "malware_endpoint",
    "ransomware",
    "account_takeover",
    "account_takeover_m365",
    "account_takeover_google",
    "vpn_compromise",
    "inner_segment_intrusion",
    "insider_export",
    "lost_device",
    "missent_mail",
    "web_defacement",
    "ddos",
    "phishing_campaign",
    "supplier_incident",
    "rpa_misuse",
    "source_silent",
    "critical_vulnerability",
    "server_intrusion",
}


def answered(playbook: Playbook) -> list[dict[str, str]]:
    """Every way in which people may answer its questions."""
    asked = [step.asks for step in walked(playbook.steps) if step.asks]
    return [
        dict(zip([one.name for one in asked], chosen, strict=True))
        for chosen in itertools.product(*(one.choices for one in asked))
    ]


def test_every_case_that_municipal_texts_name_is_there() -> None:
    """The cases of the issue, by name."""
    assert set(PLAYBOOKS) >= CASES


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_steps_speak_of_offices_reports_and_segments_by_name(name: str) -> None:
    """No step's title holds the id by which an office, a report that may be due or a segment goes in the files."""
    held = [alert(playbook=name, entities=ENTITIES, zones=["lgwan"])]
    run = plan(incident(held, grade=3, zones=["lgwan"]), held, PLAYBOOKS[name], PlaybookSettings(), NIGHT)
    said = "\n".join(f"{step.title_ja}\n{step.title_en}" for step in run.steps)
    assert not [one for one in (*RANKS, *duties(), "lgwan") if one in said]
    assert not re.search("[、。]", "".join(step.title_en for step in run.steps))


@pytest.mark.parametrize("zones", [[], ["lgwan", "mynumber"]], ids=["outer", "inner"])
@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_each_is_green_in_simulation(name: str, zones: list[str]) -> None:
    """Whatever people answer: no step fails, each act happens once, undo leaves nothing standing that can be undone."""
    playbook = PLAYBOOKS[name]
    alerts = [alert(playbook=name, entities=ENTITIES, zones=zones)]
    about = incident(alerts, grade=3 if zones else 2, zones=zones)
    for answers in answered(playbook):
        went = rehearse(playbook, about, alerts, answers=answers)
        assert went.green, (answers, [(step.title_ja, step.state, step.result_ja) for step in went.run.steps])
        assert len(went.acts) == len(set(went.acts)) == sum(s.state is StepState.DONE for s in went.run.acts)


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_each_is_mapped(name: str) -> None:
    """The playbook and each step in which something is done name a clause of the guideline and a subcategory of NIST SP 800-61r3."""
    playbook = PLAYBOOKS[name]
    assert playbook.nist and set(playbook.nist) <= set(clauses.nist())
    for step in walked(playbook.steps):
        assert set(step.serves) <= set(clauses.guideline()) and set(step.nist) <= set(clauses.nist())
        assert step.kind in {"choice", "each", "parallel"} or (step.serves and step.nist), step
    assert set(playbook.serves) <= set(clauses.guideline())


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_each_acts_on_what_alerts_name(name: str) -> None:
    """A step for a field that neither alerts nor the incident have would be in no plan."""
    for step in walked(PLAYBOOKS[name].steps):
        assert {step.value, step.each} - {""} <= set(TARGETS), step
        assert step.evidence is None or set(step.evidence.of) <= set(TARGETS), step


def test_actions_and_the_graph_know_what_alerts_name() -> None:
    """Every action's usual field, every kind of the entity graph, and what these tests hand to playbooks."""
    assert {action.field for action in ACTIONS.values()} <= set(TARGETS)
    assert set(FIELDS) | set(ENTITIES) <= set(NAMED)


def test_what_stops_much_is_decided_high() -> None:
    """Cutting a segment of LGWAN takes two people of the chief's office, residents' services the CISO."""
    alerts = [alert(entities=ENTITIES, zones=["lgwan"])]
    about = incident(alerts, grade=3, zones=["lgwan"])
    cut = rehearse(PLAYBOOKS["inner_segment_intrusion"], about, alerts, answers={"continues": "yes"})
    gate = next(step for step in cut.run.steps if step.kind == "approve")
    assert (gate.role, gate.people, len(gate.by)) == ("chief_information_security_manager", 2, 2)
    assert ("router.cut_segment", "lgwan") in cut.acts
    web = rehearse(PLAYBOOKS["web_defacement"], about, alerts)
    assert (web.run.approver, web.run.people) == ("ciso", 2)
    server = rehearse(PLAYBOOKS["server_intrusion"], about, alerts, answers={"intruded": "yes"})
    assert server.run.approver == "information_system_manager"
    gate = next(step for step in server.run.steps if step.kind == "approve")
    assert (gate.role, gate.people) == ("ciso", 2) and ("host_firewall.isolate", "pc-114") in server.acts
    sound = rehearse(PLAYBOOKS["server_intrusion"], about, alerts, answers={"intruded": "no"})
    assert not any(act == "host_firewall.isolate" for act, _ in sound.acts)
    assert not ACTIONS["router.cut_segment"].undoable or not cut.standing


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_no_statutory_clock_waits_for_an_approval(name: str) -> None:
    """Whether a report is due does not hang on whether somebody lets services be stopped: no clock stands behind a gate."""
    alerts = [alert(playbook=name, entities=ENTITIES, zones=["lgwan", "mynumber"])]
    about = incident(alerts, grade=3, zones=["lgwan", "mynumber"])
    steps = plan(about, alerts, PLAYBOOKS[name], PlaybookSettings(), NIGHT).steps
    behind = {step.index: set(step.after) for step in steps}
    for clock in (step for step in steps if step.kind == "clock"):
        assert clock.gate is None, clock.title_ja
        assert not any(steps[index].kind == "approve" for index in _before(clock.index, behind)), (
            clock.title_ja
        )


def _before(index: int, behind: dict[int, set[int]]) -> set[int]:
    """Everything that must be over before this step."""
    return behind[index].union(*(_before(one, behind) for one in behind[index]))


def test_clauses_say_what_is_inferred() -> None:
    """A clause whose number or wording could not be read is marked so."""
    assert clauses.inferred("MIC-7.3-(2)") and not clauses.inferred("MIC-5.3")


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_evidence_comes_before_containment(name: str) -> None:
    """In reading order nothing is touched before what is known of it was kept, nor does a question hold containment up in
    whose answer containment does not lie; what is done is looked at afterwards."""
    steps = walked(PLAYBOOKS[name].steps)
    first = next((n for n, step in enumerate(steps) if step.act), None)
    if first is None:
        return
    before = steps[:first]
    assert any(step.evidence for step in before) and all(step.verify for step in steps if step.act)
    asked = {step.asks.name for step in before if step.asks}
    decided = " ".join(step.if_ for step in before)
    assert all(name in decided for name in asked) and not any(step.wait for step in before)


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_whoever_approves_is_told_what_cannot_be_put_back(name: str) -> None:
    """The words that an approval shows say so where an act cannot be undone, in both languages, and that the others can."""
    playbook = PLAYBOOKS[name]
    lasting = [
        step.act
        for step in walked(playbook.steps)
        if step.act and not (step.undo and ACTIONS[step.act].undoable)
    ]
    if "directory.reset_password" in lasting:
        assert "元には戻せません" in playbook.impact_ja and "cannot be put back" in playbook.impact_en
    elif lasting:
        assert "つなぎ直します" in playbook.impact_ja and "again themselves" in playbook.impact_en
    elif playbook.acts:
        assert "元に戻せます" in playbook.impact_ja and "can be undone" in playbook.impact_en
