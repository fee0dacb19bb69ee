"""The whole way of a response on each store: kinds of records that grow with each feature are written, found in order and changed alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.incident import Verdict
from hinomi.store import Records
from responders.incidents import casefile, reported
from responders.opening import Report
from responders.playbooks.run import KIND, Run, RunState
from responders.responder import desk
from tests.contract.stores import RECORDS, each
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, responder
from tests.responders.playbooks.stage import Broken

SATO = {"actor": "sato", "roles": ANALYST}
SUZUKI = {"actor": "suzuki", "roles": MANAGER}
PC = {"host.name": ["pc-7"], "user.name": ["h.abe"]}


@pytest.fixture(params=each())
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    make: Callable[[Path], Records] = RECORDS[request.param]
    store = make(tmp_path)
    yield store
    store.close()


def test_opened_started_decided_closed_opened_again_and_parted(records: Records, tmp_path: Path) -> None:
    """A person opens it with a playbook, another approves it; somebody stands in and may act first, who decides is called; closed as no
    threat and opened again; joined by an alert, parted again. The audit log is whole."""
    tower, clock = responder(tmp_path, store=records, playbooks={"armed": ["isolate_endpoint"]})
    targets = Broken()
    tower.runs.world = replace(tower.runs.world, connectors=lambda action, on: targets)
    people = desk(records, clock, KEY)
    people.roster.stand_in(
        "suzuki", NIGHT, NIGHT + timedelta(days=1), "休み", settings=tower.settings.oncall, **SUZUKI
    )
    people.acting_first.permit("sato", NIGHT, NIGHT + timedelta(days=7), "夜間当番", **SUZUKI)
    told = people.opening.open(
        Report("端末の紛失", "電話", NIGHT - timedelta(hours=1), 2, "lgwan", PC, "isolate_endpoint"), **SATO
    )

    def later(minutes: int = 1) -> list[Run]:
        clock.advance(timedelta(minutes=minutes))
        tower.tick()
        return [one.read_as(Run) for one in records.find(KIND, order="created")]

    later()
    [run] = later()
    assert run.state is RunState.PROPOSED
    held = records.get(reported.KIND, told.id)
    assert held is not None and held.body["state"] == "open"
    with pytest.raises(Exception, match="求めた本人"):
        people.approve(run.id, actor="sato", roles=[*ANALYST, *MANAGER])
    people.approve(run.id, **SUZUKI)
    [run] = later()
    assert targets.acts == [("endpoint.isolate", "pc-7")]
    home = casefile.numbered(records, 1)
    people.close(home.id, Verdict.FALSE_POSITIVE, "見つかった", **SATO)
    later()
    people.reopen(home.id, "別の端末だった", **SATO)
    later()
    tower.receive([alert("later", entities=PC, playbook="isolate_endpoint")])
    people.cases.split(home.id, ["later-0"], "別の件", **SATO)
    later()
    assert [
        one.body["number"] for one in records.find("incident", {"status": casefile.OPEN}, order="number")
    ] == [1, 2]
    assert [one.body["subject"] for one in records.find("notification", order="sent", limit=100)]
    assert tower.audit.verify() == []
