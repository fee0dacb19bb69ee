"""What the doctor finds where nothing runs."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.transports.health import ListenerHealth
from hinomi.clock import SystemClock
from hinomi.ledger import Ledger
from ops.counts import Counts
from ops.doctor.arriving import listeners
from ops.doctor.calling import calling
from ops.doctor.finding import Patient, State
from ops.doctor.losses import losses
from ops.doctor.processes import processes
from ops.doctor.proof import console
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings
from responders.oncall.standins import OVERRIDE


def test_a_hole_that_somebody_stands_in_for_is_none(tmp_path: Path) -> None:
    """Nobody of the rota is on call at night: told as a hole, until somebody is entered for the three weeks."""
    oncall = {
        "people": {"sato": {"name_ja": "佐藤", "channels": ["desk"]}},
        "layers": [{"people": ["sato"], "start": "08:30", "end": "17:15"}],
    }
    notify = {"channels": {"desk": {"kind": "file", "folder": str(tmp_path / "messages")}}}
    settings = Settings.model_validate({"respond": {"oncall": oncall, "notify": notify}})
    role = Role("doctor", tmp_path, settings, RunDir.of(tmp_path))
    patient = Patient(tmp_path, settings, role.events(), role.records(), role.run)
    assert "rota" in [check.part.en for check in calling(patient)]
    now = SystemClock().now()
    stands_in = {
        "person": "sato",
        "start": (now - timedelta(days=1)).isoformat(),
        "end": (now + timedelta(days=20)).isoformat(),
        "reason": "試験",
        "state": "open",
    }
    patient.records.put(OVERRIDE, "one", stands_in)
    assert "rota" not in [check.part.en for check in calling(patient)]


def test_what_a_pull_that_is_up_has_to_say(tmp_path: Path) -> None:
    """Some of its logs are refused, or a clock is wrong: a warning with those words, not a listener as any other."""
    said = ListenerHealth("entra", "microsoft_graph", up=True, problem="取れない種類があります。signIns")
    settings = Settings()
    role = Role("doctor", tmp_path, settings, RunDir.of(tmp_path))
    role.run.write("pull", {"listeners": {"entra": said.as_dict()}})
    patient = Patient(tmp_path, settings, role.events(), role.records(), role.run)
    (check,) = listeners(patient)
    assert (check.state, check.said.ja) == (State.WARN, said.problem)


def test_what_detection_let_go_is_told_for_a_week(tmp_path: Path) -> None:
    """Each reason under what it means, the rule by its name, with what to do; where no rule was tried at all it is bad."""
    role = Role("doctor", tmp_path, Settings(), RunDir.of(tmp_path))
    patient = Patient(tmp_path, Settings(), role.events(), role.records(), role.run)
    assert [one.state for one in losses(patient)] == [State.GOOD]
    ledger, counts = Ledger(), Counts(patient.records, "respond")
    spray = patient.settings.rules_in_force(tmp_path).load().correlations[0].document
    ledger.count("dropped", 7, dataset=str(spray["id"]), reason="correlation_late")
    ledger.count("dropped", 3, dataset="linux.auth", reason="not_matched_engine_error")
    ledger.count("dropped", 9, dataset="linux.auth", reason="retention_30d")
    counts.save(ledger)
    blind, late = losses(patient)
    assert (blind.state, late.state) == (State.BAD, State.WARN)
    assert "linux.auth 3" in blind.said.en and f"{spray['title_ja']} 7" in late.said.ja
    assert all(one.remedy.ja and one.remedy.en for one in (blind, late))


@pytest.mark.parametrize(
    ("restarts", "seconds", "found"),
    [(0, 10, State.WARN), (0, 600, State.BAD), (2, 10, State.BAD)],
)
def test_a_process_that_is_starting_is_not_called_dead(
    tmp_path: Path, restarts: int, seconds: float, found: State
) -> None:
    """Whoever asks right after `hinomi up` is told to wait; what takes too long or was started again is bad."""
    role = Role("doctor", tmp_path, Settings(), RunDir.of(tmp_path))
    child = {"name": "intake", "pid": os.getpid(), "restarts": restarts}
    child["started"] = time.monotonic() - seconds
    role.run.write("supervisor", {"pid": os.getpid(), "children": [child]})
    patient = Patient(tmp_path, Settings(), role.events(), role.records(), role.run)
    assert [check.state for check in processes(patient)] == [found]
    role.run.write("intake", {"ready": True})
    assert [check.state for check in processes(patient)] == [State.WARN if restarts else State.GOOD]


@pytest.mark.parametrize(
    ("organizations", "mapped", "warned"),
    [({"east": {}}, {}, True), ({"east": {}}, {"soc": ["east"]}, False), ({}, {}, False)],
)
def test_a_directory_that_shows_all_to_everybody_is_told(
    tmp_path: Path, organizations: dict[str, object], mapped: dict[str, list[str]], warned: bool
) -> None:
    """With organisations kept apart, groups that give roles and say nothing of whose things are seen are a warning."""
    oidc = {
        "issuer": "https://id.example.jp",
        "client_id": "hinomi",
        "client_secret": "env:OIDC_SECRET",
        "address": "https://hinomi.example.jp",
        "roles": {"soc": ["analyst"]},
        "organizations": mapped,
    }
    settings = Settings.model_validate({"organizations": organizations, "console": {"oidc": oidc}})
    role = Role("doctor", tmp_path, settings, RunDir.of(tmp_path))
    patient = Patient(tmp_path, settings, role.events(), role.records(), role.run)
    told = [check.said.en for check in console(patient) if check.state is State.WARN]
    assert any("console.oidc.organizations" in one for one in told) is warned
