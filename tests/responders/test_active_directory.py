"""Active Directory for real: Samba's directory and KDC. Disabled, given a useless password, out of groups, and back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.errors import Refused
from responders.connectors.ldap_directory import Directory
from responders.connectors.settings import LdapDirectory
from responders.playbooks.run import Run, RunState, StepState
from responders.responder import desk
from tests.responders.city import KEY, MANAGER, alert, responder
from tests.responders.peers.samba import PASSWORD, PRIVILEGED, USERS, Domain, domain

pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.xdist_group("samba"),
    # ldap3 2.9 checks the name in a certificate with what Python 3.11 still has and 3.12 replaces by ldap3's own copy.
    pytest.mark.filterwarnings("ignore:ssl.match_hostname:DeprecationWarning"),
]
YAMADA, ITO, KATO = {"account": "CITY\\t.yamada"}, {"account": "k.ito"}, {"account": "s.kato"}
DISABLE, GROUPS, RESET = (
    "directory.disable_account",
    "directory.remove_from_groups",
    "directory.reset_password",
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with domain(tmp_path_factory.mktemp("ad")) as running:
        yield running


@pytest.fixture
def own(city: Domain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Directory]:
    monkeypatch.setenv("HINOMI_AD", PASSWORD)
    yield Directory(LdapDirectory.model_validate(city.section))


@pytest.mark.parametrize("action", [DISABLE, GROUPS])
def test_every_attribute_of_every_entry_is_as_it_was(city: Domain, own: Directory, action: str) -> None:
    """Twice is once, verified, undone: the whole directory as the administrator sees it, bit by bit."""
    was = city.entries()
    assert own.health() == "" and own.plan(action, YAMADA).changed and city.entries() == was
    before = own.look(action, YAMADA)
    assert own.act(action, YAMADA).changed and own.verify(action, YAMADA)
    acted = city.entries()
    changed = {dn for dn in was if was[dn] != acted[dn]}
    person, group = f"CN=t.yamada,{USERS}", PRIVILEGED
    assert changed == ({person} if action == DISABLE else {person, group}), "memberOf follows member"
    assert not own.act(action, YAMADA).changed and city.entries() == acted
    own.undo(action, YAMADA, before)
    assert city.entries() == was
    own.undo(action, YAMADA, before)
    assert city.entries() == was


def test_what_ends_kerberos_tickets(city: Domain, own: Directory) -> None:
    """A stopped account gets no new ticket, no service ticket for its old one and no renewal; undone, it does again."""
    assert city.kerberos("a", "kinit", "t.yamada", password=PASSWORD)
    assert city.kerberos("a", "kvno", "host/dc1.city.example.jp")
    for name in ("old", "renewing"):
        shutil.copy(city.folder / "a", city.folder / name)
    before = own.look(DISABLE, YAMADA)
    own.act(DISABLE, YAMADA)
    assert not city.kerberos("new", "kinit", "t.yamada", password=PASSWORD)
    assert not city.kerberos("old", "kvno", "cifs/dc1.city.example.jp")
    assert not city.kerberos("renewing", "kinit", "-R")
    own.undo(DISABLE, YAMADA, before)
    assert city.kerberos("new", "kinit", "t.yamada", password=PASSWORD)
    assert city.kerberos("old", "kvno", "cifs/dc1.city.example.jp")


def test_a_password_that_nobody_knows(city: Domain, own: Directory) -> None:
    """It is set however lately somebody set another; the old one opens nothing. Tickets that are out live on: stopping the
    account is what ends those, so the playbook stops it first."""
    assert city.kerberos("b", "kinit", "k.ito", password=PASSWORD)
    assert own.verify(RESET, ITO), "provisioned a moment ago: it looks as if it were done"
    assert own.plan(RESET, ITO).changed and own.act(RESET, ITO).changed and own.verify(RESET, ITO)
    assert not city.kerberos("new", "kinit", "k.ito", password=PASSWORD)
    assert city.kerberos("b", "kvno", "cifs/dc1.city.example.jp"), (
        "a limit of Kerberos, said in docs/response.md"
    )
    set_by = own.look(RESET, ITO)["before"]
    assert own.act(RESET, ITO).changed and own.look(RESET, ITO)["before"] > set_by
    assert not own.undo(RESET, ITO, own.look(RESET, ITO)).changed


def test_the_robot_may_do_nothing_else(city: Domain, own: Directory) -> None:
    """Its rights are those of the guide: another account, or the group of domain administrators, is refused in words."""
    was = city.entries()
    with pytest.raises(Refused, match="断りました"):
        own.act(DISABLE, {"account": "Administrator"})
    admins = LdapDirectory.model_validate(
        {**city.section, "privileged_groups": [f"CN=Domain Admins,{USERS}"]}
    )
    with pytest.raises(Refused, match="断りました"):
        Directory(admins).act(GROUPS, {"account": "Administrator"})
    assert city.entries() == was


def test_a_takeover_by_the_playbook(tmp_path: Path, city: Domain, own: Directory) -> None:
    """account_takeover, armed: evidence, stopped, out of the group, useless password; undone but for the password."""
    tower, _ = responder(
        tmp_path,
        connectors={"directory": city.section},
        playbooks={"armed": ["account_takeover"]},
    )
    people, was = desk(tower.records, tower.clock, KEY), city.entries()
    taken = {"user.name": ["s.kato"], "source.ip": ["203.0.113.66"]}
    [incident] = tower.receive([alert(playbook="account_takeover", entities=taken)])
    held = tower.records.get("incident", incident.id)
    assert held is not None
    run_id = held.body["run_ids"][0]
    people.approve(run_id, actor="suzuki", roles=MANAGER)
    tower.tick()
    for step in _run(tower.records.get("playbook_run", run_id)).steps:
        if step.kind == "task" and step.state is StepState.WAITING:
            people.automation.finish_task(run_id, step.index, actor="sato", roles=["analyst"], answer="no")
    tower.tick()
    run = _run(tower.records.get("playbook_run", run_id))
    assert run.state is RunState.DONE, run.journal
    assert own.verify(DISABLE, KATO) and own.verify(GROUPS, KATO)
    people.undo(run_id, actor="suzuki", roles=MANAGER)
    tower.tick()
    assert _run(tower.records.get("playbook_run", run_id)).state is RunState.UNDONE
    after = city.entries()
    person = f"CN=s.kato,{USERS}"
    assert {dn for dn in was if was[dn] != after[dn]} == {person}
    assert {name for name in was[person] if was[person][name] != after[person].get(name)} <= {"pwdLastSet"}
    assert tower.audit.verify() == []


def _run(record: object) -> Run:
    return Run.model_validate(record.body)  # type: ignore[attr-defined]
