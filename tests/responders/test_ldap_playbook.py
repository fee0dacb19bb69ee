"""A playbook for real, against a real OpenLDAP: planned, approved by a second person, done, undone; crashes on the way."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import DependencyDown, Refused
from hinomi.store import Record
from responders.connectors.ldap_directory import Directory as Connector
from responders.connectors.settings import LdapDirectory
from responders.playbooks.foretold import Patience
from responders.playbooks.run import Run, RunState, StepState
from responders.responder import Responder, desk
from tests.responders.city import KEY, MANAGER, alert, messages, responder
from tests.responders.slapd import BASE, ROBOT, ROBOT_PASSWORD, Directory, directory

pytestmark = pytest.mark.peer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Directory]:
    monkeypatch.setenv("HINOMI_LDAP", ROBOT_PASSWORD)
    with directory(tmp_path / "ldap") as running:
        yield running


def target(server: Directory, **more: Any) -> dict[str, Any]:
    return {
        "kind": "ldap",
        "url": server.url,
        "base": BASE,
        "bind_dn": ROBOT,
        "password": "env:HINOMI_LDAP",
        "method": "ppolicy",
        **more,
    }


def tower(folder: Path, server: Directory, *, armed: bool = True) -> Responder:
    sections = {
        "connectors": {"directory": target(server)},
        "playbooks": {"armed": ["rpa_misuse"] if armed else []},
    }
    made, _ = responder(folder, **sections)
    made.runs.patience = Patience(30)  # how long a loaded machine takes is not what is tried here
    return made


def proposed(made: Responder) -> Run:
    """The alert that proposes to disable t.yamada, and the run."""
    [incident] = made.receive([alert(playbook="rpa_misuse")])
    held = made.records.get("incident", incident.id)
    assert held is not None
    return run_of(made, held.body["run_ids"][0])


def run_of(made: Responder, run_id: str) -> Run:
    record = made.records.get("playbook_run", run_id)
    assert record is not None
    return Run.model_validate(record.body)


def test_plan_approve_disable_undo(tmp_path: Path, server: Directory) -> None:
    """Nothing happens before the approval; then the person cannot sign in; undo gives back exactly what was."""
    made = tower(tmp_path, server)
    run = proposed(made)
    assert not run.dry_run and [step.values for step in run.steps if step.act] == [{"account": "t.yamada"}]
    made.tick()
    assert server.can_sign_in("t.yamada")
    people = desk(made.records, made.clock, KEY)
    people.approve(run.id, actor="suzuki", roles=MANAGER, note="本人に確認済み")
    assert server.can_sign_in("t.yamada"), "the desk records, it does not act"
    made.tick()
    assert run_of(made, run.id).state is RunState.DONE
    assert not server.can_sign_in("t.yamada") and server.can_sign_in("k.ito")
    people.undo(run.id, actor="suzuki", roles=MANAGER, note="誤検知")
    made.tick()
    assert run_of(made, run.id).state is RunState.UNDONE
    assert server.can_sign_in("t.yamada") and server.locked("t.yamada") == []
    actions = [record.body["action"] for record in made.records.find("audit")]
    assert actions.index("playbook.approved") < actions.index("playbook.act.directory.disable_account")
    assert "playbook.undo.directory.disable_account" in actions and made.audit.verify() == []


def test_a_dry_run_touches_nothing(tmp_path: Path, server: Directory) -> None:
    """Not armed: approved and carried out as words only."""
    made = tower(tmp_path, server, armed=False)
    run = proposed(made)
    desk(made.records, made.clock, KEY).approve(run.id, actor="suzuki", roles=MANAGER)
    made.tick()
    after = run_of(made, run.id)
    assert after.state is RunState.DONE and server.can_sign_in("t.yamada") and server.locked("t.yamada") == []
    [step] = [step for step in after.steps if step.act]
    assert step.state is StepState.SIMULATED and "uid=t.yamada" in step.result_ja


def test_who_decides_is_told_what_the_directory_would_refuse(tmp_path: Path, server: Directory) -> None:
    """The account is not in it: the request, the page and the plan say so while nobody has decided yet."""
    made = tower(tmp_path, server)
    about = {"user.name": ["left.long.ago"], "source.ip": ["203.0.113.66"]}
    made.receive([alert(playbook="rpa_misuse", level="critical", entities=about)])
    made.tick()
    [held] = made.records.find("approval")
    assert held.body["state"] == "open" and "left.long.ago" in held.body["warned_ja"]
    assert len(messages(tmp_path)) == 2, "whoever is on call, and whoever decides"
    for page in messages(tmp_path):
        assert held.body["warned_ja"] in page and held.body["warned_en"] in page
        assert "承認しても、次は断られます" in page


class Crash(BaseException):
    """The process dies here."""


def test_a_crash_at_any_write_is_resumed_exactly_once(tmp_path: Path, server: Directory) -> None:
    """Die before and after each write of a record, start again: disabled once, undone to what was, audit whole."""
    place = 0
    while True:
        folder = tmp_path / f"crash-{place}"
        folder.mkdir()
        made = tower(folder, server)
        run = proposed(made)
        desk(made.records, made.clock, KEY).approve(run.id, actor="suzuki", roles=MANAGER)
        with dying(made, place) as died:
            again = tower(folder, server) if _tick(made) else made
        again.tick()
        assert run_of(again, run.id).state is RunState.DONE, place
        assert len(server.locked("t.yamada")) == 1 and not server.can_sign_in("t.yamada")
        desk(again.records, again.clock, KEY).undo(run.id, actor="suzuki", roles=MANAGER)
        again.tick()
        assert server.locked("t.yamada") == [] and server.can_sign_in("t.yamada"), place
        assert again.audit.verify() == []
        if not died:
            assert place > 6, "the campaign went through the journal"
            return
        place += 1


def _tick(made: Responder) -> bool:
    """One round; True when the process died in it."""
    try:
        made.tick()
    except Crash:
        return True
    return False


class dying:  # noqa: N801  # reads as a statement
    """Raises Crash at the n-th write of records, in turn just before it (even n) and just after it (odd n)."""

    def __init__(self, made: Responder, place: int) -> None:
        self.records, self.place, self.writes = made.records, place, 0
        self.died: list[int] = []

    def __enter__(self) -> list[int]:
        self.put: Callable[..., Record] = self.records.put

        def put(*arguments: Any, **more: Any) -> Record:
            self._perhaps(0)
            written = self.put(*arguments, **more)
            self._perhaps(1)
            self.writes += 1
            return written

        self.records.put = put  # type: ignore[method-assign]
        return self.died

    def _perhaps(self, after: int) -> None:
        if self.writes * 2 + after == self.place:
            self.died.append(self.place)
            self.records.put = self.put  # type: ignore[method-assign]
            raise Crash

    def __exit__(self, *_: object) -> None:
        self.records.put = self.put  # type: ignore[method-assign]


def connector(server: Directory, **more: Any) -> Connector:
    return Connector(LdapDirectory.model_validate(target(server, **more)))


def test_the_connector_is_idempotent_and_says_what_it_found(server: Directory) -> None:
    """Twice is once; an account that was disabled before stays so after undo."""
    own, values = connector(server), {"account": "HINOMI\\t.yamada"}
    before = own.look("directory.disable_account", values)
    assert own.act("directory.disable_account", values).changed
    assert not own.act("directory.disable_account", values).changed
    assert own.verify("directory.disable_account", values)
    later = own.look("directory.disable_account", values)
    assert not own.undo("directory.disable_account", values, later).changed and server.locked("t.yamada")
    assert own.undo("directory.disable_account", values, before).changed and not server.locked("t.yamada")
    assert own.health() == ""


@pytest.mark.parametrize("account", ["nobody", "*", "t.yamada)(uid=*", ""])
def test_no_account_or_a_trick_is_refused(server: Directory, account: str) -> None:
    """Wildcards and filter syntax in a name are only text."""
    with pytest.raises(Refused):
        connector(server).act("directory.disable_account", {"account": account})
    assert server.can_sign_in("t.yamada") and server.can_sign_in("k.ito")


def test_wrong_password_and_no_server_are_told_apart(
    server: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused sign-in is for a person; a server that is away is tried again; neither shows the password."""
    monkeypatch.setenv("HINOMI_LDAP", "wrong")
    with pytest.raises(Refused) as refused:
        connector(server).act("directory.disable_account", {"account": "t.yamada"})
    with pytest.raises(DependencyDown) as down:
        connector(server, url="ldap://127.0.0.1:1").act("directory.disable_account", {"account": "t.yamada"})
    assert "wrong" not in str(refused.value) + str(down.value)
    assert connector(server).health() != ""


@pytest.mark.parametrize("change", [{"armed": []}, {"armed": ["rpa_misuse"], "protected": ["t.yamada"]}])
def test_disarmed_or_protected_since_the_approval(
    tmp_path: Path, server: Directory, change: dict[str, Any]
) -> None:
    """What was allowed when the plan was made is checked again before the act: nothing is touched, and it is said."""
    made = tower(tmp_path, server)
    run = proposed(made)
    desk(made.records, made.clock, KEY).approve(run.id, actor="suzuki", roles=MANAGER)
    made.runs.settings = type(made.runs.settings).model_validate(change)
    made.tick()
    after = run_of(made, run.id)
    assert after.state is RunState.FAILED and server.can_sign_in("t.yamada")
    assert any(step.state is StepState.FAILED and step.result_ja for step in after.steps)


def test_an_undo_that_is_refused_does_not_stop_the_rest(
    tmp_path: Path, server: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service account lost its right: the run says so, and the next round goes on."""
    made = tower(tmp_path, server)
    run = proposed(made)
    people = desk(made.records, made.clock, KEY)
    people.approve(run.id, actor="suzuki", roles=MANAGER)
    made.tick()
    people.undo(run.id, actor="suzuki", roles=MANAGER)
    monkeypatch.setenv("HINOMI_LDAP", "wrong")
    made.tick()
    made.tick()
    after = run_of(made, run.id)
    assert after.state is RunState.FAILED and not server.can_sign_in("t.yamada")


def test_a_step_that_failed_after_it_touched_its_target_can_be_undone(
    tmp_path: Path, server: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is locked but the check never says so: the run failed, undo is allowed and gives back what was."""
    made = tower(tmp_path, server)
    run = proposed(made)
    people = desk(made.records, made.clock, KEY)
    people.approve(run.id, actor="suzuki", roles=MANAGER)
    monkeypatch.setattr(Connector, "verify", lambda *_: False)
    for _ in range(5):
        made.tick()
        made.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
    failed = run_of(made, run.id)
    assert failed.state is RunState.FAILED and failed.undoable and not server.can_sign_in("t.yamada")
    people.undo(run.id, actor="suzuki", roles=MANAGER)
    made.tick()
    assert run_of(made, run.id).state is RunState.UNDONE
    assert server.can_sign_in("t.yamada") and server.locked("t.yamada") == []
    with pytest.raises(Refused, match="元に戻せる"):
        people.undo(run.id, actor="suzuki", roles=MANAGER)


def test_a_useless_password(tmp_path: Path, server: Directory) -> None:
    """The person's password is no longer accepted and nobody knows the new one; the account itself is not locked."""
    own = Connector(LdapDirectory.model_validate(target(server)))
    action, values = "directory.reset_password", {"account": "t.yamada"}
    assert server.can_sign_in("t.yamada") and not own.verify(action, values)
    before = own.look(action, values)
    assert own.act(action, values).changed and own.verify(action, values)
    assert (
        not server.can_sign_in("t.yamada") and server.can_sign_in("k.ito") and not server.locked("t.yamada")
    )
    assert not own.undo(action, values, before).changed
