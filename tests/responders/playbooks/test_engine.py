"""The engine's depth, one behaviour a test: branches, choices, loops, gates, ends, undo, limits, the kill switch."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from hinomi.errors import HinomiError, InputError, Refused
from responders.connectors.actions import Reach
from responders.playbooks.playbook import catalogue, lint, load
from responders.playbooks.run import RunState, StepState
from responders.playbooks.settings import AN_HOUR
from responders.playbooks.step import Step
from tests.responders.city import ANALYST, MANAGER, NIGHT
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
DISABLE = "  - {act: directory.disable_account, value: user.name}\n"


def test_branches_do_not_hold_each_other_up(tmp_path: Path) -> None:
    """One branch waits for a person; the other acts; what comes after waits for both."""
    steps = (
        KEEP
        + "  - parallel:\n"
        + "    - [{task_ja: 電話する, wait: true}]\n"
        + "    - [{act: firewall.block_address, value: source.ip}]\n"
        + DISABLE
    )
    on = scene(tmp_path, written(tmp_path, steps))
    on.approve()
    on.tick()
    assert on.stage.acts == [("firewall.block_address", "203.0.113.66")]
    on.desk.automation.finish_task(on.run_id, on.step("電話").index, actor="sato", roles=ANALYST)
    assert on.tick().state is RunState.DONE
    assert on.stage.acts[-1] == ("directory.disable_account", "t.yamada")


def test_a_loop_does_each_entity_and_a_failed_round_stops_no_other(tmp_path: Path) -> None:
    """Three machines: each its own round, in which one step follows the other."""
    steps = (
        KEEP
        + "  - each: host.name\n    steps:\n"
        + "      - {act: endpoint.isolate, value: host.name, an_hour: 9}\n"
        + "      - {act: switch.shut_port, value: host.name, an_hour: 9}\n"
    )
    hosts = {"host.name": ["pc-1", "pc-2", "pc-3"]}
    settings = {"protected_groups": {"domain_controllers": ["PC-2.*"], "more": ["pc-2"]}, "an_hour": {}}
    on = scene(tmp_path, written(tmp_path, steps), entities=hosts, settings=settings)
    on.approve()
    assert on.tick().state is RunState.DONE
    assert {host for _, host in on.stage.acts} == {"pc-1", "pc-3"} and len(on.stage.acts) == 4
    protected = [step for step in on.run.acts if "pc-2" in step.values.values()]
    assert {step.state for step in protected} == {StepState.SKIPPED} and "人が判断" in protected[0].result_ja


def test_a_task_that_nobody_waits_for_lets_nothing_run_ahead(tmp_path: Path) -> None:
    """What stands behind it in a branch waits for the question all the same: it is not passed over before the answer."""
    steps = (
        KEEP
        + "  - {task_ja: 入られたか, asks: {name: intruded, choices: ['yes', 'no']}}\n"
        + "  - if: \"answers.intruded == 'yes'\"\n"
        + "    then: [{task_ja: 写しを取る}, {act: firewall.block_address, value: source.ip}]\n"
    )
    on = scene(tmp_path, written(tmp_path, steps))
    on.approve()
    on.tick()
    assert on.run.step(3).state is StepState.PLANNED, on.run.step(3).result_ja
    on.desk.automation.finish_task(on.run_id, 1, actor="sato", roles=ANALYST, answer="yes")
    assert on.tick().state is RunState.DONE and on.stage.acts == [("firewall.block_address", "203.0.113.66")]


def _intruded(folder: Path, hosts: list[str], **settings: object) -> Scene:
    """The shipped playbook for these servers, approved, with the answer that somebody came in."""
    entities = {**ENTITIES, "host.name": hosts}
    on = scene(folder, catalogue()["server_intrusion"], entities=entities, settings=settings)
    on.approve()
    on.tick()
    asked = on.step("侵入されているか").index
    on.desk.automation.finish_task(on.run_id, asked, actor="sato", roles=ANALYST, answer="yes")
    on.tick()
    return on


def test_each_server_is_asked_for_by_its_whole_name_and_waits_for_no_other(tmp_path: Path) -> None:
    """Three servers, two of one first name: three questions that name them; the one that is approved is cut off at once,
    and the other two in the same hour."""
    hosts = ["Web01.nishi.example", "web01.higashi.example", "db01"]
    on = _intruded(tmp_path, hosts)
    gates = [step for step in on.run.steps if step.kind == "approve"]
    assert [host.lower() in gate.title_ja for host, gate in zip(hosts, gates, strict=True)] == [True] * 3
    for gate, host in list(zip(gates, hosts, strict=True))[::-1]:
        on.approve("mori", gate.index)
        on.tick()
        assert on.stage.acts[-1] == ("host_firewall.isolate", host.lower())


@pytest.mark.parametrize(
    ("hosts", "protected"), [(["a", "b", "c", "d"], []), (["web01.nishi.example"], ["web01"])]
)
def test_nothing_is_asked_where_no_act_stands_behind(
    tmp_path: Path, hosts: list[str], protected: list[str]
) -> None:
    """More servers than a plan takes, or a protected one: the CISO is not asked, a person's task says what to do."""
    on = _intruded(tmp_path, hosts, protected=protected)
    assert on.run.state is RunState.DONE and on.step("切り離しがないサーバー").state is StepState.FOR_PERSON
    assert all(step.state is StepState.SKIPPED for step in on.run.steps if step.kind == "approve")


def test_a_segment_that_the_alerts_do_not_name_is_not_asked_for(tmp_path: Path) -> None:
    """The shipped playbook for the inner segments, without `network.name`: no gate for a cut that is in no plan."""
    entities = {name: values for name, values in ENTITIES.items() if name != "network.name"}
    on = scene(tmp_path, catalogue()["inner_segment_intrusion"], entities=entities)
    on.approve()
    on.tick()
    asked = on.step("続いているか").index
    on.desk.automation.finish_task(on.run_id, asked, actor="sato", roles=ANALYST, answer="yes")
    assert on.tick().state is RunState.DONE and on.step("approve").state is StepState.SKIPPED


def test_an_address_is_never_cut(tmp_path: Path) -> None:
    """A machine that a log names by its address keeps it whole, one with a domain goes by its first name."""
    steps = KEEP + "  - {act: endpoint.isolate, value: host.name}\n"
    hosts = ["192.0.2.11", "PC-1.city.example", "pc-1"]
    on = scene(tmp_path, written(tmp_path, steps), entities={**ENTITIES, "host.name": hosts})
    assert [step.values["host"] for step in on.run.acts] == ["192.0.2.11", "pc-1"]


def test_choices_by_the_incident_and_by_answers(tmp_path: Path) -> None:
    """What the incident decides is decided in the plan; what a person answers, when they answer."""
    steps = (
        KEEP
        + "  - if: \"grade >= 3 or 'lgwan' in zones\"\n    then: [{tell: ciso}]\n    else: [{wait_minutes: 5}]\n"
        + "  - {task_ja: 広がったか, asks: {name: spread, choices: ['yes', 'no']}}\n"
        + "  - if: \"answers.spread == 'yes'\"\n"
        + "    then: [{act: firewall.block_address, value: source.ip}]\n"
        + "    else: [{act: directory.disable_account, value: user.name}]\n"
    )
    on = scene(tmp_path, written(tmp_path, steps))
    assert [step.kind for step in on.run.steps] == ["evidence", "wait", "task", "act", "act"]
    on.approve()
    on.tick()
    assert on.step("wait").state is StepState.WAITING
    on.tick(6)
    with pytest.raises(InputError, match="yes"):
        on.desk.automation.finish_task(on.run_id, 2, actor="sato", roles=ANALYST, answer="maybe")
    on.desk.automation.finish_task(on.run_id, 2, actor="sato", roles=ANALYST, answer="no")
    with pytest.raises(InputError, match="済んで"):
        on.desk.automation.finish_task(on.run_id, 2, actor="sato", roles=ANALYST, answer="yes")
    assert on.tick().state is RunState.DONE
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]
    assert on.run.step(3).state is StepState.SKIPPED and on.run.step(2).by == ["sato"]


def test_whoever_can_be_told_has_a_name(tmp_path: Path) -> None:
    """Whatever `tell` may say is planned, in words; whoever is on call holds no office."""
    whom = [one for one in get_args(Step.model_fields["tell"].annotation) if one]
    on = scene(tmp_path, written(tmp_path, KEEP + "".join(f"  - tell: {one}\n" for one in whom)))
    told = [step for step in on.run.steps if step.kind == "tell"]
    assert [step.detail for step in told] == whom and "oncall" in whom
    assert not any("_" in step.title_ja + step.title_en for step in told)
    assert ("連絡する: 当番", "Tell: person on call") in [(step.title_ja, step.title_en) for step in told]


def test_evidence_is_kept_while_people_still_decide(tmp_path: Path) -> None:
    """At the head of an armed plan it is kept before the approval, once; nothing else happens."""
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK))
    on.tick()
    on.tick()
    assert on.kept == ["evidence"] and on.run.state is RunState.PROPOSED and on.stage.acts == []
    on.approve()
    assert on.tick().state is RunState.DONE and on.kept == ["evidence"]


def test_a_block_ends_by_itself(tmp_path: Path) -> None:
    """After its hours it is lifted, once, to what was before; a person may let it stand longer."""
    steps = KEEP + "  - {act: firewall.block_address, value: source.ip, for_hours: 24}\n"
    on = scene(tmp_path, written(tmp_path, steps))
    on.approve()
    on.tick()
    on.tick(23 * 60)
    assert on.stage.done
    later = on.clock.now() + timedelta(hours=5)
    with pytest.raises(Refused):
        on.desk.automation.extend(on.run_id, 1, later, "調査中", actor="sato", roles=ANALYST)
    on.desk.automation.extend(on.run_id, 1, later, "調査中", actor="suzuki", roles=MANAGER)
    on.tick(2 * 60)
    assert on.stage.done
    on.tick(4 * 60)
    assert not on.stage.done and on.run.step(1).state is StepState.UNDONE
    assert any("解除しました" in words.ja for _, words in on.runs.news)
    on.tick(60)
    assert on.audit().count("playbook.undo.firewall.block_address") == 1 and on.runs.news == []


def test_a_failure_puts_back_what_was_done_in_reverse(tmp_path: Path) -> None:
    """on_failure: undo. The third step's target never answers: the second is put back, then the first."""
    head = HEAD + "on_failure: undo\n"
    steps = KEEP + BLOCK + DISABLE + "  - {act: endpoint.isolate, value: host.name, retries: 1}\n"
    on = scene(tmp_path, written(tmp_path, steps, head), stage=Broken(down={"endpoint.isolate"}))
    on.approve()
    on.tick()
    assert len(on.stage.done) == 2
    on.tick(1)
    assert on.run.state is RunState.UNDONE and not on.stage.done
    undone = [action for action in on.audit() if action.startswith("playbook.undo.")]
    assert undone[-2:] == ["playbook.undo.directory.disable_account", "playbook.undo.firewall.block_address"]
    assert "元に戻しました" in on.runs.news[-1][1].ja


def test_what_was_refused_with_nothing_done_is_never_put_back(tmp_path: Path) -> None:
    """A machine that the product refused to isolate: nobody is asked to put it back, and one that a person then isolates by hand
    stays isolated when the rest is put back."""
    steps = KEEP + BLOCK + "  - {act: endpoint.isolate, value: host.name}\n"
    on = scene(tmp_path, written(tmp_path, steps), stage=Broken(refuses={"endpoint.isolate"}))
    on.approve()
    assert on.tick().state is RunState.FAILED
    refused = on.step("endpoint.isolate")
    assert not refused.touched and refused.result_ja == "断りました。対象は変わっていません。"
    assert "playbook.step_refused" in on.audit()
    by_hand = ("endpoint.isolate", "pc-114")
    on.stage.done.add(by_hand)
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.UNDONE and on.stage.done == {by_hand}


@pytest.mark.parametrize("alone", [True, False])
def test_what_was_refused_is_put_back_where_a_part_was_done(tmp_path: Path, alone: bool) -> None:
    """Refused halfway: looked at again it is not as it was. Where nothing was done at all a person is offered nothing."""
    steps = KEEP + "  - {act: endpoint.isolate, value: host.name}\n"
    stage = Broken(refuses={"endpoint.isolate"}) if alone else Broken(halfway={"endpoint.isolate"})
    on = scene(tmp_path, written(tmp_path, steps), stage=stage)
    on.approve()
    assert on.tick().state is RunState.FAILED and on.run.undoable is not alone
    if not alone:
        on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
        assert on.tick().state is RunState.UNDONE and on.stage.done == set()


def test_stop_on_failure_begins_nothing_new(tmp_path: Path) -> None:
    """on_failure: stop. What comes after the failed step is passed over, with the reason."""
    head = HEAD + "on_failure: stop\n"
    steps = KEEP + "  - {act: endpoint.isolate, value: host.name, retries: 0}\n" + DISABLE
    on = scene(tmp_path, written(tmp_path, steps, head), stage=Broken(down={"endpoint.isolate"}))
    on.approve()
    assert on.tick().state is RunState.FAILED and on.stage.acts == []
    assert on.run.steps[-1].state is StepState.SKIPPED


def test_an_act_that_takes_too_long_has_failed(tmp_path: Path) -> None:
    """within_minutes: tried no longer than that, however many retries are left."""
    steps = KEEP + "  - {act: endpoint.isolate, value: host.name, retries: 10, within_minutes: 2}\n"
    on = scene(tmp_path, written(tmp_path, steps), stage=Broken(down={"endpoint.isolate"}))
    on.approve()
    on.tick()
    assert on.step("endpoint").state is StepState.STARTED
    on.tick(3)
    assert on.run.state is RunState.FAILED and "時間" in on.step("endpoint").result_ja


def test_a_gate_takes_two_different_people(tmp_path: Path) -> None:
    """Four eyes: the second approval of the same person is refused, of another lets it through."""
    steps = (
        KEEP
        + BLOCK
        + "  - approve: {who: information_system_manager, people: 2, shows_ja: 止めます, shows_en: stops}\n"
        + DISABLE
    )
    on = scene(tmp_path, written(tmp_path, steps))
    with pytest.raises(InputError):
        on.approve("suzuki", gate=2)  # before the run is ready to hear it
    assert "playbook.approved.refused" in on.audit()
    on.approve()
    on.tick()
    assert on.step("approve").state is StepState.WAITING and len(on.stage.acts) == 1
    on.approve("suzuki", gate=2)
    with pytest.raises(Refused, match="もう一人"):
        on.approve("suzuki", gate=2)
    on.tick()
    assert len(on.stage.acts) == 1
    on.approve("boss1", gate=2)
    assert on.tick().state is RunState.DONE and on.run.step(2).by == ["suzuki", "boss1"]


def test_a_denied_gate_passes_over_what_stands_behind_it(tmp_path: Path) -> None:
    """The rest of the run goes on."""
    steps = (
        KEEP
        + "  - parallel:\n"
        + "    - - approve: {who: ciso, shows_ja: 止めます, shows_en: stops}\n"
        + "      - {act: firewall.block_address, value: source.ip}\n"
        + "    - - {act: directory.disable_account, value: user.name}\n"
    )
    on = scene(tmp_path, written(tmp_path, steps))
    on.approve()
    on.tick()
    with pytest.raises(Refused, match="役割"):
        on.desk.deny(f"{on.run_id}.1", actor="suzuki", roles=MANAGER)
    on.desk.deny(f"{on.run_id}.1", actor="mori", roles=["ciso"], note="窓口が止まる")
    assert on.tick().state is RunState.DONE
    assert on.stage.acts == [("directory.disable_account", "t.yamada")]


def test_a_gate_that_nobody_answers_is_asked_again(tmp_path: Path) -> None:
    """After its time an old answer counts for nothing; the new request can be approved."""
    steps = (
        KEEP + "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n" + BLOCK
    )
    on = scene(tmp_path, written(tmp_path, steps))
    on.approve()
    on.tick()
    on.clock.advance(timedelta(minutes=11))
    with pytest.raises(Refused, match="期限"):
        on.approve("mori", gate=1)
    on.tick()
    on.approve("mori", gate=1)
    assert on.tick().state is RunState.DONE and on.stage.acts


def test_somebody_stands_in_for_an_absent_office(tmp_path: Path) -> None:
    """The CISO lends the office for a day; the deputy approves in it, not before, not after, and not if it is lent on."""
    steps = KEEP + BLOCK
    on = scene(tmp_path, written(tmp_path, steps, HEAD.replace("information_system_manager", "ciso")))
    automation, start = on.desk.automation, NIGHT + timedelta(hours=1)
    with pytest.raises(Refused):
        automation.delegate("suzuki", start, start + timedelta(days=1), "出張", actor="sato", roles=ANALYST)
    with pytest.raises(InputError, match="31"):
        automation.delegate("suzuki", start, start + timedelta(days=40), "出張", actor="mori", roles=["ciso"])
    lent = automation.delegate(
        "suzuki", start, start + timedelta(days=1), "出張", actor="mori", roles=["ciso"]
    )
    with pytest.raises(Refused, match="役割"):
        on.approve("suzuki")
    on.tick(61)
    with pytest.raises(Refused):
        automation.delegate(
            "boss1", start, start + timedelta(days=1), "又貸し", actor="suzuki", roles=["ciso"]
        )
    on.approve("suzuki")
    automation.end_delegation(lent.id, actor="mori", roles=["ciso"])
    assert on.tick().state is RunState.PROPOSED, "taken back before it was acted on"
    on.approve("mori")
    assert on.tick().state is RunState.DONE


def test_the_kill_switch_stops_everything_and_people_can_still_put_back(tmp_path: Path) -> None:
    """Thrown by an analyst: no step, no lifting; resumed by an office only; a person's undo works meanwhile."""
    steps = KEEP + "  - {act: firewall.block_address, value: source.ip, for_hours: 1}\n"
    on = scene(tmp_path, written(tmp_path, steps))
    on.desk.automation.stop("誤動作の疑い", actor="sato", roles=ANALYST)
    on.approve()
    on.tick()
    assert on.stage.acts == [] and on.desk.automation.stopped() is not None
    with pytest.raises(Refused):
        on.desk.automation.resume("直った", actor="sato", roles=ANALYST)
    on.desk.automation.resume("直った", actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.DONE
    on.desk.automation.stop("もう一度", actor="sato", roles=ANALYST)
    on.tick(120)
    assert on.stage.done, "nothing is lifted by itself"
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="戻す")
    assert on.tick().state is RunState.UNDONE and not on.stage.done


def test_no_more_than_so_many_an_hour(tmp_path: Path) -> None:
    """Of three accounts two go now, the third an hour later: by the step's limit, and by the city's over all acts."""
    people = {"user.name": ["a", "b", "c"]}
    for limits, steps in (
        ({}, "  - {act: directory.disable_account, value: user.name, an_hour: 2}\n"),
        ({"an_hour": {"account": 2}}, DISABLE),
    ):
        folder = tmp_path / str(len(limits))
        folder.mkdir()
        on = scene(folder, written(folder, KEEP + steps), entities=people, settings=limits)
        on.approve()
        on.tick()
        assert len(on.stage.acts) == 2
        waiting = on.run.acts[-1]
        assert waiting.state is StepState.PLANNED and "1時間" in waiting.result_ja, (
            "it does not wait in silence"
        )
        on.tick(59)
        assert len(on.stage.acts) == 2
        assert on.tick(2).state is RunState.DONE and len(on.stage.acts) == 3


def test_tightening_one_limit_lifts_no_other(tmp_path: Path) -> None:
    """The city allows two machines an hour and names nothing else: of two segments one is cut, as without that line."""
    assert set(AN_HOUR) == set(Reach), "every reach has a limit"
    steps = "  - {act: router.cut_segment, value: network.name, an_hour: 99}\n"
    head = HEAD.replace("information_system_manager", "chief_information_security_manager")
    segments, limits = {"network.name": ["west", "east"]}, {"an_hour": {"endpoint": 2}}
    on = scene(tmp_path, written(tmp_path, KEEP + steps, head), entities=segments, settings=limits)
    on.approve("mori")
    on.tick()
    assert len(on.stage.acts) == AN_HOUR[Reach.SEGMENT] == 1
    assert on.runs.settings.an_hour == AN_HOUR | {Reach.ENDPOINT: 2}


@pytest.mark.parametrize(
    ("listed", "value"),
    [
        ("203.0.113.0/24", "203.0.113.66"),
        ("CITY\\T.Yamada", "t.yamada"),
        ("dc*", "dc01"),
        ("lgwan-gw", "LGWAN-GW.city.example.jp"),
        ("2001:db8::/32", "2001:db8::1"),
    ],
)
def test_protected_in_any_spelling(listed: str, value: str) -> None:
    """Networks, patterns, domains and letters in either case."""
    from responders.playbooks.protection import Protection
    from responders.playbooks.settings import PlaybookSettings

    wanted = listed.rsplit("\\", 1)[-1]
    protection = Protection(PlaybookSettings(protected_groups={"x": [wanted]}))
    assert protection.covers(value) and not protection.covers("pc-114") and not protection.covers("8.8.8.8")


def test_only_people_s_work_needs_no_approval(tmp_path: Path) -> None:
    """A playbook of tasks begins at once."""
    steps = "  - {task_ja: 機器を見る, wait: true, within_minutes: 60, if_late: fail}\n"
    on = scene(tmp_path, written(tmp_path, steps))
    assert on.tick().state is RunState.RUNNING
    assert on.tick(61).state is RunState.FAILED


@pytest.mark.parametrize(
    ("steps", "line", "key"),
    [
        (BLOCK, 10, "steps.0.act"),
        (KEEP + "  - {act: firewall.blok, value: source.ip}\n", 11, "steps.1"),
        (KEEP + '  - {if: "answers.x == 1", then: [{tell: ciso}]}\n', 11, "steps.1.if"),
        (KEEP + '  - {if: "__import__(1)", then: [{tell: ciso}]}\n', 11, "steps.1.if"),
        (KEEP + "  - {task_ja: x, act: firewall.block_address, value: y}\n", 11, "steps.1"),
        (KEEP + "  - {act: router.cut_segment, value: network.name}\n", 6, "approver"),
        (KEEP + "  - {act: directory.reset_password, value: user.name}\n", 11, "steps.1.act"),
        (KEEP + "  - {act: firewall.block_address, value: source.adress}\n", 11, "steps.1.value"),
        (KEEP + "  - {each: process.name, steps: [{tell: ciso}]}\n", 11, "steps.1.each"),
        (KEEP + "  - {tsk_ja: x}\n", 11, "steps.1.tsk_ja"),
        (KEEP + "  - {tell: ciso, nist: [RS.XX-99]}\n", 11, "steps.1.nist.0"),
    ],
)
def test_the_linter_names_file_line_and_key(tmp_path: Path, steps: str, line: int, key: str) -> None:
    """What is wrong, where, in both languages."""
    path = tmp_path / "tried.yml"
    path.write_text(HEAD + "steps:\n" + steps, encoding="utf-8")
    with pytest.raises(HinomiError) as wrong:
        load(path)
    where = wrong.value.where
    assert where is not None and where.file == path and (where.key or "").startswith(key)
    assert where.line == line and wrong.value.ja and wrong.value.en


def test_a_ticket_is_opened_for_the_incident_itself(tmp_path: Path) -> None:
    """No alert names it: its number and title, as one line whatever a stranger put into a name, and never without an end."""
    steps = "  - {act: ticket.open, value: incident.title, undo: false}\n"
    name = "x\r\nBcc: y\u202e" + "a" * 300
    on = scene(tmp_path, written(tmp_path, steps), title_ja=f"{name}: 侵害の疑い")
    [act] = on.run.acts
    assert (
        act.values["subject"].startswith("#1 x\\x0d Bcc: y\\u202eaaa") and act.values["subject"].isprintable()
    )
    assert len(act.values["subject"]) < 250


@pytest.mark.parametrize("key", ["approver", "title_en", "steps"])
def test_a_required_key_that_lacks_is_named_with_a_line(tmp_path: Path, key: str) -> None:
    """What lacks at the top has no line of its own: the first one of the file, behind its comments, and what to write there."""
    path = tmp_path / "tried.yml"
    kept = [line for line in HEAD.strip().splitlines() if not line.startswith(key)]
    steps = [] if key == "steps" else ["steps:", "  - {tell: ciso}"]
    path.write_text("\n".join(["# 自庁の手順", *kept, *steps]), encoding="utf-8")
    [wrong] = lint(tmp_path)
    assert str(wrong).startswith(
        f"{path}:2: {key}: 必要な項目がありません。「{key}: …」を書き足してください。"
    )
    assert f'add "{key}: …"' in str(wrong)


def test_a_dry_run_is_only_words(tmp_path: Path) -> None:
    """Not armed: gates, tasks and acts are told, nothing waits and nothing is touched."""
    steps = KEEP + "  - {task_ja: 電話, wait: true}\n" + BLOCK
    on = scene(tmp_path, written(tmp_path, steps), settings={"armed": []}, entities=ENTITIES)
    on.approve()
    assert on.tick().state is RunState.DONE and on.stage.acts == [] and on.kept == []
    assert set(on.states()) == {StepState.SIMULATED}
