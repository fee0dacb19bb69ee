"""A target that does not answer is tried again, later each time, and then a person is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.errors import Refused
from responders.playbooks.run import Run, RunState, RunStep, StepState
from responders.responder import Responder, desk
from tests.responders.city import KEY, MANAGER, alert, responder

DEAD = {
    "kind": "ldap",
    "url": "ldap://127.0.0.1:1",
    "base": "dc=city,dc=example,dc=jp",
    "bind_dn": "cn=robot,dc=city,dc=example,dc=jp",
    "password": "env:HINOMI_LDAP",
    "method": "ppolicy",
}


def _now(tower: Responder) -> tuple[Run, RunStep]:
    [record] = tower.records.find("playbook_run")
    run = Run.model_validate(record.body)
    return run, next(step for step in run.steps if step.act)


def test_pauses_grow_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four tries of a step with three retries, 5, 10 and 20 seconds apart; then the step failed and it is said."""
    monkeypatch.setenv("HINOMI_LDAP", "secret")
    tower, clock = responder(tmp_path, connectors={"directory": DEAD}, playbooks={"armed": ["rpa_misuse"]})
    tower.receive([alert(playbook="rpa_misuse")])
    people = desk(tower.records, clock, KEY)
    people.approve(_now(tower)[0].id, actor="suzuki", roles=MANAGER)
    for attempts, pause in ((1, 5), (2, 10), (3, 20)):
        tower.tick()
        tower.tick()
        clock.advance(timedelta(seconds=pause - 1))
        tower.tick()
        run, step = _now(tower)
        assert (run.state, step.state, step.attempts) == (RunState.RUNNING, StepState.PLANNED, attempts)
        clock.advance(timedelta(seconds=1))
    tower.tick()
    run, step = _now(tower)
    assert (run.state, step.state, step.attempts) == (RunState.FAILED, StepState.FAILED, 4)
    [incident] = tower.records.find("incident")
    assert "失敗した手順があります" in incident.body["timeline"][-1]["ja"]
    with pytest.raises(Refused, match="元に戻せる"):  # it never touched the account
        people.undo(run.id, actor="suzuki", roles=MANAGER)
