"""An incident that is closed as a false alarm or a legitimate act: what was approved for it and has not begun is not done."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hinomi.incident import Status, Verdict
from responders.incidents import casefile
from responders.playbooks.calling_off import no_threat
from responders.playbooks.following import place
from responders.playbooks.run import Run, RunState, StepState
from tests.responders.city import ANALYST, MANAGER, alert
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, incident, scene, written

NO_ALARM = pytest.mark.parametrize("verdict", [Verdict.FALSE_POSITIVE, Verdict.BENIGN])
TWO = """
  - evidence: {of: [user.name], hours: 1}
  - act: directory.disable_account
    value: user.name
  - act: endpoint.isolate
    value: host.name
"""
WAITING = """
  - evidence: {of: [user.name], hours: 1}
  - act: directory.disable_account
    value: user.name
  - wait_minutes: 5
  - act: endpoint.isolate
    value: host.name
"""
GATED = """
  - evidence: {of: [user.name], hours: 1}
  - task_ja: 見る
    task_en: Look
    wait: true
  - approve: {who: ciso, within_minutes: 30, shows_ja: 止まります, shows_en: It stops}
  - act: endpoint.isolate
    value: host.name
"""
UNDONE = "on_failure: undo\n"


def begun(folder: Path, steps: str, *, more: str = "", prepare: Callable[[Scene], object] = id) -> Scene:
    """Approved, and gone on with as far as it goes."""
    path = folder / "book"
    path.mkdir()
    on = scene(folder, written(path, steps, HEAD + more))
    about = incident([alert(playbook="tried", entities=dict(ENTITIES))])
    on.runs.records.put("incident", about.id, about.model_dump(mode="json"), expect=0)
    prepare(on)
    on.approve()
    on.tick()
    return on


def closed(on: Scene, verdict: Verdict) -> None:
    on.desk.close("incident-1", verdict, "委託先の作業", actor="sato", roles=ANALYST)


@NO_ALARM
def test_what_waits_is_not_done(tmp_path: Path, verdict: Verdict) -> None:
    """The pause is over six minutes later: the machine keeps its network, the account stays disabled until somebody undoes it."""
    on = begun(tmp_path, WAITING)
    closed(on, verdict)
    on.tick(6)
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]
    assert (on.run.state, on.step("endpoint.isolate").state) == (RunState.DONE, StepState.SKIPPED)
    assert verdict.words.ja in on.step("endpoint.isolate").result_ja
    assert [words.ja for _, words in on.runs.news] == [
        f"インシデントが「{verdict.words.ja}」で終わったため、残りの手順を行いません"
    ]
    assert on.run.undoable and on.audit().count("playbook.called_off") == 1


def test_a_threat_that_was_real_is_contained_all_the_same(tmp_path: Path) -> None:
    """Block it and close: nothing is skipped."""
    on = begun(tmp_path, WAITING)
    closed(on, Verdict.TRUE_POSITIVE)
    on.tick(6)
    assert (on.run.state, len(on.stage.acts)) == (RunState.DONE, 2)


def test_a_target_that_is_away_is_left_alone(tmp_path: Path) -> None:
    """Begun, with no answer yet: given up, said to be perhaps changed, and still to be undone."""
    on = begun(tmp_path, TWO, prepare=lambda scene: scene.stage.down.add("endpoint.isolate"))
    assert on.step("endpoint.isolate").state is StepState.STARTED
    closed(on, Verdict.FALSE_POSITIVE)
    on.stage.down.clear()
    on.tick(6)
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]
    step = on.step("endpoint.isolate")
    assert (on.run.state, step.state) == (RunState.FAILED, StepState.FAILED)
    assert "途中でやめました" in step.result_ja and on.run.undoable


def test_what_was_done_is_not_put_back_by_itself(tmp_path: Path) -> None:
    """Also where a failure would have put it back: nothing failed, a person decides."""
    on = begun(tmp_path, WAITING, more=UNDONE)
    closed(on, Verdict.FALSE_POSITIVE)
    on.tick(6)
    assert on.run.state is RunState.DONE and ("directory.disable_account", "t.yamada") in on.stage.done


def test_a_gate_behind_a_task_is_not_asked(tmp_path: Path) -> None:
    """Nobody has to answer the task first, and no request stays open."""
    on = begun(tmp_path, GATED)
    closed(on, Verdict.FALSE_POSITIVE)
    on.tick()
    assert on.run.state is RunState.DONE
    assert {step.state for step in on.run.steps if step.kind != "evidence"} == {StepState.SKIPPED}


def test_closed_between_two_acts(tmp_path: Path) -> None:
    """The first act took its time, and somebody closed it in between: the second is not begun."""

    def closing(on: Scene) -> None:
        def target(action: str, _: str) -> Broken:
            if on.run.state is RunState.RUNNING and no_threat(on.runs.records, "incident-1") is None:
                closed(on, Verdict.FALSE_POSITIVE)
            return on.stage

        on.runs.world = replace(on.runs.world, connectors=target)

    on = begun(tmp_path, TWO, prepare=closing)
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]
    assert on.step("endpoint.isolate").state is StepState.SKIPPED


def test_opened_again_what_was_not_done_may_be_planned(tmp_path: Path) -> None:
    """The false alarm was none: what was called off is held by no run, what was done is."""
    on = begun(tmp_path, WAITING)
    closed(on, Verdict.FALSE_POSITIVE)
    on.tick(6)
    where = place(on.runs.records, [on.run], dry_run=False)
    assert (where.number, {act for act, _, _ in where.held}) == (1, {"directory.disable_account"})


def test_the_one_that_took_it_in_is_a_false_alarm(tmp_path: Path) -> None:
    """The run's incident was joined into another one, and that one was closed as a false alarm."""
    on = begun(tmp_path, WAITING)
    survivor = incident([alert(playbook="tried", entities=dict(ENTITIES))], id="incident-2", number=2)
    on.runs.records.put("incident", survivor.id, survivor.model_dump(mode="json"), expect=0)
    into = {"status": Status.CLOSED, "fields": {"merged_into": "incident-2"}}
    casefile.change(on.runs.records, "incident-1", lambda now: now.model_copy(update=into))
    on.desk.close("incident-2", Verdict.FALSE_POSITIVE, "誤り", actor="sato", roles=ANALYST)
    on.tick(6)
    assert ("endpoint.isolate", "pc-114") not in on.stage.done


PEOPLES = """
  - evidence: {of: [user.name], hours: 1}
  - act: directory.disable_account
    value: user.name
  - task_ja: 所属長に聞く
    task_en: Ask the head of the office
    asks: {name: known, choices: ["はい", "いいえ"]}
  - parallel:
      - - task_ja: 本人に聞く
          task_en: Ask the user
          wait: true
        - start_clock: ppc-preliminary
      - - approve: {who: ciso, within_minutes: 30, shows_ja: 止まります, shows_en: It stops}
        - task_ja: 課に知らせる
          task_en: Tell the office
          wait: true
        - act: endpoint.isolate
          value: host.name
"""


def taken_up(on: Scene) -> Run | None:
    """Opened again, and one more round."""
    on.desk.reopen("incident-1", "誤検知ではない", actor="sato", roles=ANALYST)
    taken = on.runs.take_up(on.run_id, undone=True)
    on.tick()
    return taken


def test_opened_again_peoples_work_goes_on(tmp_path: Path) -> None:
    """The answer that was given stands, tasks wait again, the report is brought up; what hangs on the gate of an act that was called
    off comes with the new plan for that act."""
    on = begun(tmp_path, PEOPLES, more=UNDONE)
    ask = on.step("所属長")
    on.desk.automation.finish_task(on.run_id, ask.index, answer="はい", actor="sato", roles=ANALYST)
    on.tick()
    assert on.step("本人").state is StepState.WAITING
    closed(on, Verdict.BENIGN)
    on.tick()
    assert on.run.state is RunState.DONE
    assert taken_up(on) is not None
    assert (on.run.state, on.step("本人").state) == (RunState.RUNNING, StepState.WAITING)
    assert on.run.answers["known"] == "はい"
    assert [on.step(one).called_off for one in ("止まります", "課に", "endpoint.isolate")] == [True] * 3
    task = on.step("本人").index
    on.desk.automation.finish_task(on.run_id, task, note="本人は知らない", actor="sato", roles=ANALYST)
    on.tick()
    assert (on.run.state, on.kept) == (RunState.DONE, ["evidence", "clock"])
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]
    assert on.runs.take_up(on.run_id, undone=True) is None and on.runs.audit.verify() == []


def test_opened_again_behind_an_act_given_up_halfway(tmp_path: Path) -> None:
    """Where a failure would put all back: nothing failed, so the task goes on and nothing is undone."""
    more = "  - task_ja: 見る\n    task_en: Look\n    wait: true\n"
    on = begun(
        tmp_path, TWO + more, more=UNDONE, prepare=lambda scene: scene.stage.down.add("endpoint.isolate")
    )
    closed(on, Verdict.FALSE_POSITIVE)
    on.tick()
    assert taken_up(on) is not None
    assert (on.run.state, on.step("見る").state) == (RunState.RUNNING, StepState.WAITING)
    assert ("directory.disable_account", "t.yamada") in on.stage.done


@pytest.mark.parametrize("opened_in_between", [False, True])
def test_opened_again_after_it_was_undone(tmp_path: Path, *, opened_in_between: bool) -> None:
    """It was put back as a false alarm, or still is when it is opened again: tasks go on; what was put back may be planned anew."""
    more = "  - task_ja: 見る\n    task_en: Look\n    wait: true\n"
    on = begun(tmp_path, WAITING + more)
    closed(on, Verdict.FALSE_POSITIVE)
    on.tick()
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
    if not opened_in_between:
        on.tick()
        assert on.run.state is RunState.UNDONE
    assert (taken_up(on) is None) is opened_in_between
    on.tick(6)
    on.tick()
    assert (on.run.state, on.step("見る").state) == (RunState.RUNNING, StepState.WAITING)
    held = place(on.runs.records, [on.run], dry_run=False).held
    assert ({act for act, _, _ in held} == set()) is not opened_in_between
