"""A playbook that a person starts: for exactly the targets that they name, in their name, decided on by somebody else."""

from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import InputError, Refused
from hinomi.incident import Incident, Verdict
from responders.desk import Desk
from responders.incidents import casefile
from responders.playbooks.asked import KIND, Asked
from responders.playbooks.playbook import catalogue
from responders.playbooks.run import APPROVAL, Run, RunState
from responders.playbooks.run import KIND as RUN
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, alert, messages, responder

SATO: Any = {"actor": "sato", "roles": ANALYST}
SUZUKI: Any = {"actor": "suzuki", "roles": MANAGER}
BOSS: Any = {"actor": "boss1", "roles": MANAGER}


def _tower(folder: Path, **sections: Any) -> tuple[Responder, Desk, Incident]:
    """A tower with one incident that names no playbook."""
    tower, _ = responder(folder, **sections)
    [incident] = tower.receive([alert(level="medium")])
    return tower, desk(tower.records, tower.clock, KEY), incident


def _runs(tower: Responder, incident: Incident) -> list[Run]:
    held = tower.records.get("incident", incident.id)
    assert held is not None
    runs = [tower.records.get(RUN, one) for one in held.body["run_ids"]]
    return [one.read_as(Run) for one in runs if one]


def test_named_targets_and_nobody_elses(tmp_path: Path) -> None:
    """Several people are named, another spelling is the same one, the alert's own person is not touched; the office that decides is
    told; whoever asked cannot approve, somebody else can."""
    tower, people, incident = _tower(
        tmp_path,
        oncall={
            "people": {
                "boss": {"name_ja": "課長", "channels": ["desk"], "office": "information_system_manager"}
            }
        },
    )
    named = {"user.name": ["CITY\\H.Abe", "h.abe", "m.ito", "n.ono", "r.kai"], "host.name": ["pc-7"]}
    people.starting.start(incident.id, "lost_device", named, **SUZUKI)
    tower.tick()
    [run] = _runs(tower, incident)
    assert run.requested_by == "suzuki" and run.state is RunState.PROPOSED
    accounts = {value for step in run.acts for value in step.values.values()}
    assert accounts == {"h.abe", "m.ito", "n.ono", "r.kai"}
    evidence = next(step for step in run.steps if step.kind == "evidence")
    assert "pc-7" in evidence.about["host.name"] and "t.yamada" in evidence.about["user.name"]
    [asked] = [text for text in messages(tmp_path) if "承認をお願いします" in text]
    assert "suzuki が求めました" in asked
    held = tower.records.get("incident", incident.id)
    assert held is not None
    line = held.body["timeline"][-1]
    assert (line["actor"], line["ref"]) == ("suzuki", run.id) and "suzuki が求めた計画" in line["ja"]
    with pytest.raises(Refused, match="求めた本人"):
        people.approve(run.id, **SUZUKI)
    people.approve(run.id, **BOSS)
    tower.tick()
    [run] = _runs(tower, incident)
    assert run.approved_by == ["boss1"] and run.state is RunState.DONE  # a dry run


def test_left_out_it_is_what_the_incident_names(tmp_path: Path) -> None:
    """Also where no alert is of a level by which the tower itself would act; and never all victims of a spray."""
    tower, people, incident = _tower(tmp_path)
    tower.receive(
        [alert("spray", level="low", entities={"user.name": list("abcd"), "source.ip": ["203.0.113.66"]})]
    )
    people.starting.start(incident.id, "block_address", **SATO)
    people.starting.start(incident.id, "lost_device", **SATO)
    tower.tick()
    first, second = sorted(_runs(tower, incident), key=lambda run: run.playbook)
    assert [step.values for step in first.acts] == [{"address": "203.0.113.66"}]
    assert second.acts == [] and second.state is RunState.RUNNING  # people's work


def test_that_it_must_be_started_anew_is_said_once(tmp_path: Path) -> None:
    """It waits when its incident is closed: opened again that is said, and not again at each planning and closing after."""
    tower, people, incident = _tower(tmp_path)
    people.starting.start(incident.id, "lost_device", {"user.name": ["h.abe"]}, **SATO)
    tower.tick()
    for number in range(2):
        people.close(incident.id, Verdict.BENIGN, "保守作業", **SATO)
        tower.tick()
        people.reopen(incident.id, "違った", **SATO)
        tower.tick()
        casefile.change(
            tower.records,
            incident.id,
            lambda now: now.model_copy(update={"fields": {**now.fields, "propose_again": True}}),
        )
        tower.tick()
        lines = casefile.read(tower.records, incident.id).timeline
        assert sum("もう一度始めて" in line.ja for line in lines) == 1, number


def test_it_begins_once_for_the_same_targets(tmp_path: Path) -> None:
    """Asked for twice, before and after it was taken up, also in another spelling: refused; for somebody else, or once more when it
    was turned down: a plan of its own. A crash before it was settled makes no second one."""
    tower, people, incident = _tower(tmp_path)

    def start(*names: str) -> None:
        people.starting.start(incident.id, "lost_device", {"user.name": list(names)}, **SATO)

    start("h.abe")
    with pytest.raises(InputError, match="同じ対象で始まっています"):
        start("h.abe")
    [asked] = tower.records.find(KIND)
    Asked(tower.runs).propose(asked)  # and the process dies
    tower.tick()
    with pytest.raises(InputError, match="同じ対象で始まっています"):
        start("H.Abe")
    [run] = _runs(tower, incident)
    start("m.ito")
    people.deny(run.id, **SUZUKI)
    tower.tick()
    start("h.abe")
    tower.tick()
    assert [one.state for one in _runs(tower, incident)] == [
        RunState.DENIED,
        RunState.PROPOSED,
        RunState.PROPOSED,
    ]
    assert len(tower.records.find(APPROVAL)) == 3


def test_the_tower_s_own_plan_counts(tmp_path: Path) -> None:
    """What an alert proposed already is not asked for again for the same person; more people are."""
    tower, _ = responder(tmp_path)
    [incident] = tower.receive([alert(playbook="vpn_compromise")])
    people = desk(tower.records, tower.clock, KEY)
    with pytest.raises(InputError, match="同じ対象で始まっています"):
        people.starting.start(incident.id, "vpn_compromise", **SATO)
    people.starting.start(incident.id, "vpn_compromise", {"user.name": ["t.yamada", "h.abe"]}, **SATO)


def test_what_a_person_started_is_not_planned_again(tmp_path: Path) -> None:
    """An alert that names the playbook comes later: the tower's own plan is for the others alone, and there is none where nobody else is
    named."""
    tower, people, incident = _tower(tmp_path)
    named = {"user.name": ["t.yamada"], "source.ip": ["203.0.113.66"]}
    people.starting.start(incident.id, "vpn_compromise", named, **SATO)
    tower.tick()
    tower.receive([alert("again", minutes=1, playbook="vpn_compromise")])
    [run] = _runs(tower, incident)
    assert run.requested_by == "sato"
    more = {"user.name": ["t.yamada", "h.abe"], "source.ip": ["203.0.113.66"]}
    tower.receive([alert("more", minutes=2, playbook="vpn_compromise", entities=more)])
    _, own = _runs(tower, incident)
    assert own.requested_by == "hinomi"
    assert {value for step in own.acts for value in step.values.values()} == {"h.abe"}


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("no_such", {}),
        ("lost_device", {"process.pid": ["1"]}),
        ("lost_device", {"user.name": ["a\nb"]}),
        ("lost_device", {"user.name": [f"u{n}" for n in range(21)]}),
        ("block_address", {"source.ip": ["203.0.113.0/24"]}),
        ("block_address", {"source.ip": ["everywhere"]}),
        ("phishing_campaign", {"url.domain": ["https://bad.example/login"]}),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, name: str, targets: dict[str, list[str]]) -> None:
    """A playbook or field that there is not, a network where an address stands, an address line for a name: nothing is recorded."""
    tower, people, incident = _tower(tmp_path)
    with pytest.raises(InputError):
        people.starting.start(incident.id, name, targets, **SATO)
    assert tower.records.find(KIND) == []


def test_who_may(tmp_path: Path) -> None:
    """A viewer, and somebody at the machine without an account (the same person could approve under another name): refused and audited; a
    closed incident: refused."""
    tower, people, incident = _tower(tmp_path)
    for actor, roles in (("a.kansa", ["viewer"]), ("cli:sato", ["operator"])):
        with pytest.raises(Refused):
            people.starting.start(incident.id, "lost_device", actor=actor, roles=roles)
    refused = tower.records.find("audit", {"action": "playbook.start.refused"})
    assert [one.body["details"]["why"] for one in refused] == ["role", "account"]
    people.close(incident.id, Verdict.BENIGN, "点検", **SATO)
    with pytest.raises(InputError, match="終了した"):
        people.starting.start(incident.id, "lost_device", **SATO)
    assert tower.records.find(KIND) == []


def test_what_nobody_asked_for_does_not_begin(tmp_path: Path) -> None:
    """A record without its audit entry, with another name or other targets than it was asked for, or of an incident that is over by now, is
    void and says why; the others go on."""
    tower, people, incident = _tower(tmp_path)
    names = ("h.abe", "m.ito", "n.ono")
    for name in names:
        people.starting.start(incident.id, "lost_device", {"user.name": [name]}, **SATO)
    by = {one.body["targets"]["user.name"][0]: one for one in tower.records.find(KIND)}
    forged = {"by": "boss2"}, {"targets": {"user.name": ["mayor"]}}
    for name, change in zip(names, forged, strict=False):
        tower.records.put(KIND, by[name].id, {**by[name].body, **change})
    tower.tick()
    [run] = _runs(tower, incident)
    assert {value for step in run.acts for value in step.values.values()} == {"n.ono"}
    voids = tower.records.find(KIND, {"state": "void"})
    assert len(voids) == 2 and all("audit log" in one.body["why"] for one in voids)
    people.starting.start(incident.id, "lost_device", {"user.name": ["r.kai"]}, **SATO)
    people.close(incident.id, Verdict.BENIGN, "点検", **SATO)
    tower.tick()
    assert len(tower.records.find(KIND, {"state": "void"})) == 3


def test_a_merged_incident_s_start_goes_where_it_went(tmp_path: Path) -> None:
    """Asked for on an incident that another one takes in before the next round: the plan is that one's."""
    tower, people, first = _tower(tmp_path)
    [second] = tower.receive([alert("other", minutes=1, entities={"host.name": ["pc-9"]})])
    people.starting.start(second.id, "isolate_endpoint", {"host.name": ["pc-9"]}, **SATO)
    people.cases.merge(second.id, [first.id], "同じ件", **SATO)
    tower.tick()
    [run] = _runs(tower, first)
    assert run.incident_id == first.id


def test_it_is_known_by_what_it_is_shipped_with() -> None:
    """The catalogue of the desk is that of the respond process."""
    from responders.playbooks.named import books

    assert dict(books()) == catalogue()
