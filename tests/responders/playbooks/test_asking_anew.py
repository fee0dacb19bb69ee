"""An approval that is over is asked for anew in the plain situation alone: in every other one nobody is called and nothing done on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.incident import Status
from responders.connectors.protocol import Done
from responders.playbooks.foretold import Said
from responders.playbooks.renewing import MOST, renewed
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from tests.responders.city import MANAGER
from tests.responders.playbooks.stage import HEAD, Broken, Scene, incident, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
DISABLE = "  - {act: directory.disable_account, value: user.name}\n"
ISOLATE = "  - {act: endpoint.isolate, value: host.name}\n"
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"
DAY = timedelta(hours=24)


def _task(name: str) -> str:
    return f'  - {{task_ja: 確かめる {name}, asks: {{name: {name}, choices: ["no", "yes"]}}}}\n'


def _answered(on: Scene, name: str) -> None:
    """Three days later somebody answers the task."""
    on.clock.advance(3 * DAY)
    task = on.step(f"確かめる {name}").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    on.tick()


def _written(on: Scene, step: RunStep) -> None:
    """The step as it stands in the record by now."""
    held = on.runs.records.get(KIND, on.run_id)
    assert held is not None
    on.runs.records.put(KIND, on.run_id, held.read_as(Run).with_step(step).model_dump(mode="json"))


def _closed(on: Scene) -> None:
    body = incident([]).model_copy(update={"status": Status.CLOSED}).model_dump(mode="json")
    on.runs.records.put("incident", "incident-1", body)


def _requests(on: Scene) -> list[str]:
    """What waits for an answer."""
    return [one.id for one in on.runs.records.find(APPROVAL, {"state": "open"})]


def _begun(folder: Path, steps: str, head: str = HEAD) -> Scene:
    """Approved and begun; what was kept and told until then is forgotten."""
    on = scene(folder, written(folder, KEEP + steps, head))
    on.approve()
    on.tick()
    on.kept.clear()
    return on


def _nobody_was_asked(on: Scene) -> None:
    assert on.kept == [] and _requests(on) == [] and on.audit().count("playbook.asked_anew") == 0


def test_nobody_is_called_about_a_closed_incident(tmp_path: Path) -> None:
    """Closed while the task waited: the act behind it fails as its approval is too old."""
    on = _begun(tmp_path, _task("meant") + DISABLE)
    _closed(on)
    _answered(on, "meant")
    _nobody_was_asked(on)
    assert on.run.state is RunState.FAILED and on.run.acts[0].aged and on.stage.acts == []


@pytest.mark.parametrize("closed", [True, False])
def test_an_answer_at_a_gate_that_is_read_too_late(tmp_path: Path, closed: bool) -> None:
    """The tower was away for a day after the gate was approved: it is asked anew, of a closed incident it fails, and what is behind it is
    not done."""
    on = _begun(tmp_path, GATE + ISOLATE)
    gate = on.step("approve")
    on.approve("mori", gate=gate.index)
    if closed:
        _closed(on)
    on.tick(24 * 60)
    assert on.stage.acts == []
    if closed:
        _nobody_was_asked(on)
        assert on.run.state is RunState.FAILED and "承認が古く" in on.run.step(gate.index).result_ja
    else:
        assert on.kept == ["tell"] and on.run.step(gate.index).renewed == 1


def test_a_void_answer_of_a_closed_incident_calls_nobody(tmp_path: Path) -> None:
    """A gate that was asked anew has a forged answer when the incident is over: it is taken back."""
    on = _begun(tmp_path, GATE + _task("meant") + ISOLATE)
    gate = on.step("approve").index
    on.approve("mori", gate=gate)
    on.tick()
    _answered(on, "meant")
    assert on.kept == ["tell"] and _requests(on)
    _forged(on, gate)
    _closed(on)
    on.tick()
    assert on.kept == ["tell"] and _requests(on) == [] and on.run.step(gate).state is StepState.SKIPPED


def _forged(on: Scene, gate: int) -> None:
    held = on.runs.records.get(APPROVAL, f"{on.run_id}.{gate}")
    assert held is not None
    by = {"by": "mori", "at": on.clock.now().isoformat(), "note": "", "entry": ""}
    on.runs.records.put(APPROVAL, held.id, {**held.body, "state": "approved", **by, "given": [by]})


def test_who_is_asked_once_more_is_called_once_more(tmp_path: Path) -> None:
    """At a gate that was asked anew the answer is forged: the message is another one than before; one that nobody answered is not sent
    again."""
    on = _begun(tmp_path, GATE + _task("meant") + ISOLATE)
    gate = on.step("approve").index
    told: list[RunStep] = []

    def tell(run: Run, step: RunStep) -> Done:
        told.append(step)
        return Done("", "")

    on.runs.world = replace(on.runs.world, tell=tell)
    on.approve("mori", gate=gate)
    on.tick()
    _answered(on, "meant")
    on.tick(11)
    end = on.run.step(gate).expires
    _forged(on, gate)
    on.tick()
    assert [one.expires for one in told] == [None, None, end] and {one.renewed for one in told} == {1}


@pytest.mark.parametrize("way", ["stop", "undo"])
def test_a_run_that_ended_waits_for_no_answer(tmp_path: Path, way: str) -> None:
    """While the CISO is asked, another branch fails and the run ends: the request is taken back, nobody can approve it any more."""
    steps = f"  - parallel: [[{GATE[4:-1]}, {ISOLATE[4:-1]}], [{_task('meant')[4:-1]}, {BLOCK[4:-1]}]]\n"
    stage = Broken(refuses={"firewall.block_address"})
    on = scene(tmp_path, written(tmp_path, KEEP + steps, f"{HEAD}on_failure: {way}\n"), stage=stage)
    on.approve()
    on.tick()
    assert _requests(on) == [f"{on.run_id}.{on.step('approve').index}"]
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    assert on.tick().state in (RunState.FAILED, RunState.UNDONE) and _requests(on) == []


def test_nothing_begins_behind_a_failure_that_was_not_ended(tmp_path: Path) -> None:
    """The process died after the failure was written and before the run was ended: the next one ends it before anything else."""
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK, HEAD + "on_failure: stop\n"))
    on.desk.automation.stop("保守", actor="suzuki", roles=MANAGER)
    on.approve()
    on.tick()
    _written(on, on.run.steps[0].as_ended(StepState.FAILED, "保全できません。", "not kept"))
    on.desk.automation.resume("済んだ", actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.FAILED and on.stage.acts == []


@dataclass(slots=True)
class _Mailboxes(Broken):
    """A stage on which the mails to purge are searched for."""

    copies: list[str] = field(default_factory=lambda: ["c1"])
    only: frozenset[str] = frozenset()
    taken: list[str] = field(default_factory=list)

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        return action == "mail.purge"

    def within(self, extent: Collection[str]) -> "_Mailboxes":
        """See `Searching`."""
        self.only = frozenset(extent)
        return self

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """What would be taken now."""
        done = Broken.plan(self, action, values)
        found = tuple(self.copies) if self.searches(action) else None
        return Done(done.ja, done.en, extent=found)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Takes what it was narrowed to."""
        did = Broken.act(self, action, values)
        if self.searches(action):
            self.taken += [one for one in self.copies if one in self.only]
        return did


def test_what_the_inner_approver_saw_is_what_is_touched(tmp_path: Path) -> None:
    """A gate behind a gate: the inner one was passed and its act is begun when the outer one's approval is over. The outer one is not asked
    anew, what hangs on it alone fails, and the mails are those that the inner approver saw."""
    inner = f"[{GATE[4:-1]}, {{act: mail.purge, value: email.message_id, retries: 9}}]"
    outer = f"[{_task('meant')[4:-1]}, {DISABLE[4:-1]}]"
    stage = _Mailboxes(down={"mail.purge"})
    on = scene(tmp_path, written(tmp_path, f"{KEEP}{GATE}  - parallel: [{outer}, {inner}]\n"), stage=stage)
    on.approve()
    on.tick()
    first, second = [one.index for one in on.run.steps if one.kind == "approve"]
    on.approve("mori", gate=first)
    on.tick()
    on.tick(12 * 60)  # the inner one is put anew
    on.approve("mori", gate=second)
    on.tick()
    assert on.step("mail").state is StepState.STARTED and on.step("mail").extent == ["c1"]
    stage.copies.append("came later")
    on.clock.advance(timedelta(minutes=11))
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    on.tick()
    assert on.step("directory").aged and on.run.step(first).renewed == 0 and "tell" not in on.kept
    stage.down = set()
    on.tick(15)
    assert on.step("mail").extent == ["c1"] and stage.taken == ["c1"]


def test_what_is_begun_takes_no_other_extent(tmp_path: Path) -> None:
    """Whatever its target says by now, neither what it touches nor its words change."""
    act = _begun(tmp_path, DISABLE).run.acts[0]
    started = act.model_copy(update={"state": StepState.STARTED, "extent": ["c1"]})
    found = Done("2 通", "2 mails", extent=("c1", "c2"))
    assert Said([started], planned={act.index: found}).known == [started]
    planned = act.model_copy(update={"state": StepState.PLANNED, "extent": ["c1"]})
    assert Said([planned], planned={act.index: found}).known[0].extent == ["c1", "c2"]


def test_what_is_left_is_said_at_each_asking(tmp_path: Path) -> None:
    """Asked anew for two acts, the first of them done, and asked anew for the second: that alone is said to be left."""
    on = _begun(tmp_path, _task("one") + DISABLE + _task("two") + ISOLATE)
    _answered(on, "one")
    gate = on.run.covering(on.run.acts[0])
    assert gate is not None and "t.yamada" in gate.result_ja and "pc-114" in gate.result_ja
    on.approve("boss1", gate=gate.index)
    on.tick()
    _answered(on, "two")
    again = on.run.step(gate.index)
    said = again.title_ja + again.title_en + again.result_ja + again.result_en
    assert again.renewed == 2 and "pc-114" in again.result_ja and "pc-114" in again.result_en
    assert "t.yamada" not in said


def test_what_is_left_behind_a_gate_of_the_playbook(tmp_path: Path) -> None:
    """Its title names what the plan had for it; why it is asked once more names what is left."""
    on = _begun(tmp_path, GATE + DISABLE + _task("two") + ISOLATE)
    gate = on.step("approve").index
    on.approve("mori", gate=gate)
    on.tick()
    _answered(on, "two")
    request = on.runs.records.get(APPROVAL, f"{on.run_id}.{gate}")
    assert request is not None and "t.yamada" in request.body["shows_ja"]
    assert "残っている操作: " in request.body["warned_ja"] and "pc-114" in request.body["warned_ja"]
    assert "t.yamada" not in request.body["warned_ja"] + request.body["warned_en"]


def test_a_no_that_is_read_late_is_a_no(tmp_path: Path) -> None:
    """Denied, and the tower was away for a day: nobody is asked anew."""
    on = _begun(tmp_path, GATE + ISOLATE)
    gate = on.step("approve").index
    on.desk.deny(f"{on.run_id}.{gate}", actor="mori", roles=["ciso"], note="だめ")
    assert on.tick(24 * 60).state is RunState.DONE and on.run.step(gate).result_ja == "却下されました。"
    _nobody_was_asked(on)


def test_an_answer_that_is_read_too_late_each_time(tmp_path: Path) -> None:
    """Each approval at the gate is read a day later: after three times it is enough, and the gate fails."""
    on = _begun(tmp_path, GATE + ISOLATE)
    gate = on.step("approve").index
    for n in range(MOST + 1):
        assert on.run.step(gate).renewed == n and on.run.state is RunState.RUNNING
        on.approve("mori", gate=gate)
        on.tick(24 * 60)
    assert on.run.state is RunState.FAILED and on.stage.acts == [] and _requests(on) == []
    assert on.run.step(gate).aged and on.audit().count("playbook.asked_anew") == MOST


def _failed(run: Run) -> Run:
    failed = run.steps[0].as_ended(StepState.FAILED, "", "")
    return run.with_step(failed).model_copy(update={"on_failure": "stop"})


def _starting(run: Run) -> Run:
    return run.with_step(run.acts[0].model_copy(update={"state": StepState.STARTED}))


def _nested(run: Run) -> Run:
    inner = run.step(1).model_copy(update={"index": 9, "gate": 1})
    return run.model_copy(update={"steps": [*run.steps, inner]})


def _often(run: Run) -> Run:
    return run.with_step(run.step(1).model_copy(update={"renewed": MOST}))


def test_the_plain_situation_and_no_other(tmp_path: Path) -> None:
    """Each condition alone keeps everybody from being asked anew."""
    on = _begun(tmp_path, GATE + ISOLATE)
    on.approve("mori", gate=1)
    old = on.runs.records.get(APPROVAL, f"{on.run_id}.1")
    assert old is not None
    asked = renewed(on.run, on.run.step(1), old, closed=False)
    assert asked is not None and asked[1].renewed == 1
    assert renewed(on.run, on.run.step(1), old, closed=True) is None
    for other in (_failed, _starting, _nested, _often):
        run = other(on.run)
        assert renewed(run, run.step(1), old, closed=False) is None, other.__name__
    on.runs.records.put(APPROVAL, old.id, {**old.body, "state": "denied"})
    denied = on.runs.records.get(APPROVAL, old.id)
    assert denied is not None and renewed(on.run, on.run.step(1), denied, closed=False) is None
