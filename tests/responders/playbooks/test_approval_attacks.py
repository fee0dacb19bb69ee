"""Attacks on approvals: none acts, each is in the audit log, and what is done to the log is named by `audit verify`."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import HinomiError, InputError, Refused
from responders.playbooks.run import RunState, StepState
from tests.responders.city import ANALYST, MANAGER
from tests.responders.playbooks.stage import HEAD, Scene, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"


def one(folder: Path, steps: str = KEEP + BLOCK, head: str = HEAD) -> Scene:
    return scene(folder, written(folder, steps, head))


def body(on: Scene, identity: str = "") -> dict[str, Any]:
    held = on.runs.records.get("approval", identity or on.run_id)
    assert held is not None
    return dict(held.body)


def write(on: Scene, identity: str = "", **changes: Any) -> None:
    """What somebody with a hand in the store, but not at the desk, would write."""
    on.runs.records.put("approval", identity or on.run_id, {**body(on, identity), **changes})


def approved(by: str, entry: str = "") -> dict[str, Any]:
    given = [{"by": by, "at": "2026-11-19T18:14:00+00:00", "note": "", "entry": entry}]
    return {"state": "approved", "by": by, "given": given, "entry": entry}


def told(on: Scene, action: str = "playbook.approval_void") -> tuple[str, str, str]:
    """(who, on what, why) of the newest entry of that action; whose answer it claims to be where the engine found it."""
    found = on.runs.records.find("audit", {"action": action}, order="-number", limit=1)
    assert found, on.audit()
    body = found[0].body
    details: Mapping[str, str] = body["details"]
    assert body["at"] and on.runs.audit.verify() == []
    return details.get("by", body["actor"]), details.get("approval", body["target"]), details["why"]


@pytest.mark.parametrize("entry", ["", "000000000001", "999999999999", "x"])
def test_a_forged_approval_of_a_person_who_may(tmp_path: Path, entry: str) -> None:
    """Written past the desk in the manager's name, with no audit entry or somebody else's: void, asked again."""
    on = one(tmp_path)
    write(on, **approved("suzuki", entry))
    on.tick()
    assert on.run.state is RunState.PROPOSED and on.stage.acts == [] and body(on)["state"] == "open"
    assert told(on) == ("suzuki", on.run_id, "forged")


def test_a_replayed_approval(tmp_path: Path) -> None:
    """A true approval of an earlier request, put back after the request was made anew: void."""
    on = one(tmp_path)
    on.approve()
    old = body(on)
    on.runs.records.put("approval", on.run_id, {**old, "state": "open", "given": []})
    on.tick(31)  # asked again, with a new end
    assert body(on)["expires"] != old["expires"]
    on.runs.records.put("approval", on.run_id, old)
    on.tick()
    assert on.run.state is RunState.PROPOSED and on.stage.acts == []
    assert told(on) == ("suzuki", on.run_id, "replayed")


def test_an_answer_to_a_page_that_was_opened_before(tmp_path: Path) -> None:
    """Put anew it is the same plan, but may cover more, such as mails that came since: what was shown before approves none of that."""
    on = one(tmp_path)
    seen = {"plan": on.run.plan_hash, "until": body(on)["expires"]}
    on.tick(31)
    with pytest.raises(Refused, match="求め直されました"):
        on.desk.approve(on.run_id, actor="suzuki", roles=MANAGER, **seen)
    refused = on.runs.records.last("audit")
    assert refused is not None and refused.body["details"] == {"why": "asked_anew"}
    assert on.tick().state is RunState.PROPOSED and on.stage.acts == []
    on.desk.approve(on.run_id, actor="suzuki", roles=MANAGER, plan=seen["plan"], until=body(on)["expires"])
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1


def test_put_anew_in_the_moment_of_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the request and writing the answer it is put anew: the answer counts for the one that was read alone."""
    on = one(tmp_path)
    put = on.runs.records.put

    def first_put_anew(kind: str, *rest: Any, **more: Any) -> Any:
        if kind == "approval":
            monkeypatch.setattr(on.runs.records, "put", put)
            on.tick(31)
        return put(kind, *rest, **more)

    monkeypatch.setattr(on.runs.records, "put", first_put_anew)
    with pytest.raises(Refused, match="求め直されました"):
        on.approve()
    assert body(on)["state"] == "open" and on.tick().state is RunState.PROPOSED and on.stage.acts == []


def test_an_approval_of_another_run(tmp_path: Path) -> None:
    """The audit entry of one run's approval does not serve for another's."""
    on = one(tmp_path)
    on.approve()
    entry = body(on)["given"][0]["entry"]
    (tmp_path / "second").mkdir()
    other = scene(tmp_path, on.runs.playbooks["tried"], id="incident-2")
    write(other, **approved("suzuki", entry))
    other.tick()
    assert other.run.state is RunState.PROPOSED and len(other.stage.acts) == 1, (
        "the first run's own, no other"
    )
    assert told(other) == ("suzuki", other.run_id, "forged")


@pytest.mark.parametrize(
    ("attack", "who", "what", "why"),
    [
        (lambda on: on.desk.approve(on.run_id, actor="sato", roles=ANALYST), "sato", "", "role"),
        (lambda on: on.desk.approve(on.run_id, actor="cli:root", roles=["operator"]), "cli:root", "", "role"),
        (lambda on: on.desk.approve(on.run_id, actor="admin", roles=["administrator"]), "admin", "", "role"),
        (lambda on: on.desk.approve(on.run_id, actor="hinomi", roles=MANAGER), "hinomi", "", "self"),
        (lambda on: other_plan(on), "suzuki", "", "plan_changed"),
        (
            lambda on: on.desk.approve("nothing", actor="suzuki", roles=MANAGER),
            "suzuki",
            "nothing",
            "not_asked",
        ),
        (
            lambda on: on.desk.approve(f"{on.run_id}.1", actor="mori", roles=["ciso"]),
            "mori",
            ".1",
            "not_asked",
        ),
        (lambda on: late(on), "suzuki", "", "expired"),
        (lambda on: twice(on), "boss1", "", "decided"),
    ],
    ids=[
        "analyst",
        "operator",
        "administrator",
        "self",
        "other run's plan",
        "unknown",
        "early",
        "expired",
        "twice",
    ],
)
def test_refused_at_the_desk(
    tmp_path: Path, attack: Callable[[Scene], object], who: str, what: str, why: str
) -> None:
    """Refused in words, in the audit log with who, what and why, and nothing is done that was not allowed."""
    on = one(tmp_path, KEEP + GATE + BLOCK)
    with pytest.raises((Refused, InputError)) as refused:
        attack(on)
    assert isinstance(refused.value, HinomiError) and refused.value.ja and refused.value.en
    target = what if what == "nothing" else on.run_id + what
    assert told(on, "playbook.approved.refused") == (who, target, why)
    on.tick()
    assert on.stage.acts == [] and on.runs.audit.verify() == []


def other_plan(on: Scene) -> None:
    """The page of another run was open: what it showed is not what this run would do."""
    other = on.run.model_copy(update={"id": "another run"})
    on.desk.approve(on.run_id, actor="suzuki", roles=MANAGER, plan=other.plan_hash)


def late(on: Scene) -> None:
    on.clock.advance(timedelta(hours=2))
    on.approve()


def twice(on: Scene) -> None:
    on.approve()
    on.approve("boss1")


def test_an_answer_before_the_gate_asks(tmp_path: Path) -> None:
    """A record that lies there approved before the run comes to its gate is not an answer to it."""
    on = one(tmp_path, KEEP + GATE + BLOCK)
    on.approve()
    gate = f"{on.run_id}.1"
    early = {
        **body(on),
        "gate": 1,
        "approver": "ciso",
        "run_id": on.run_id,
        **approved("mori", "000000000001"),
    }
    on.runs.records.put("approval", gate, early)
    on.tick()
    on.tick()
    assert on.step("approve").state is StepState.WAITING and on.stage.acts == []
    assert body(on, gate)["state"] == "open"
    assert told(on) == ("mori", gate, "not_this_request")
    on.approve("mori", gate=1)
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1


def test_an_answer_to_one_gate_does_not_open_the_next(tmp_path: Path) -> None:
    """Two gates with two acts: what was said at the first, its audit entry with it, is not an answer at the second."""
    second = "  - {act: firewall.block_address, value: source.ip, target: other}\n"
    on = one(tmp_path, KEEP + GATE + BLOCK + GATE + second)
    on.approve()
    on.tick()
    on.approve("mori", gate=1)
    on.tick()
    assert len(on.stage.acts) == 1
    later = next(step for step in on.run.steps if step.kind == "approve" and step.index > 1)
    identity = f"{on.run_id}.{later.index}"
    given = body(on, f"{on.run_id}.1")["given"]
    write(on, identity, **{**approved("mori", given[0]["entry"]), "given": given})
    on.tick()
    assert told(on) == ("mori", identity, "forged")
    assert on.run.step(later.index).state is StepState.WAITING and body(on, identity)["state"] == "open"
    second_act = on.run.step(later.index + 1)
    assert second_act.state is StepState.PLANNED


def test_the_plan_changed_after_the_approval(tmp_path: Path) -> None:
    """Somebody writes another target into the approved run: the approval is of another plan and counts for nothing."""
    on = one(tmp_path)
    on.approve()
    held = on.runs.records.get("playbook_run", on.run_id)
    assert held is not None
    steps = held.body["steps"]
    steps[1]["values"] = {"address": "192.0.2.1"}
    on.runs.records.put("playbook_run", on.run_id, {**held.body, "steps": steps})
    on.tick()
    assert on.run.state is RunState.PROPOSED and on.stage.acts == [] and body(on)["state"] == "open"
    assert told(on) == ("suzuki", on.run_id, "plan_changed")
    with pytest.raises(Refused, match="変わりました"):
        on.desk.approve(on.run_id, actor="suzuki", roles=MANAGER, plan=on.run.plan_hash + "0")
    assert told(on, "playbook.approved.refused") == ("suzuki", on.run_id, "plan_changed")


def test_two_at_once(tmp_path: Path) -> None:
    """Two managers press in the same moment: one approval counts, the other one is told so and written down."""
    on = one(tmp_path)
    lost: list[str] = []
    gate = threading.Barrier(2)

    def approve(name: str) -> None:
        gate.wait()
        try:
            on.desk.approve(on.run_id, actor=name, roles=MANAGER)
        except Refused:
            lost.append(name)

    threads = [threading.Thread(target=approve, args=(name,)) for name in ("boss1", "boss2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [loser] = lost
    assert told(on, "playbook.approved.refused") == (loser, on.run_id, "decided")
    assert [one["by"] for one in body(on)["given"]] == [{"boss1": "boss2", "boss2": "boss1"}[loser]]
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1


@pytest.mark.parametrize("people", [1, 2])
def test_a_hundred_at_once(tmp_path: Path, people: int) -> None:
    """Exactly as many approvals as the plan asks for count, by different people; the act happens once."""
    on = one(tmp_path, head=HEAD + f"people: {people}\n")
    won: list[str] = []
    gate = threading.Barrier(100)

    def approve(n: int) -> None:
        gate.wait()
        try:
            on.desk.approve(on.run_id, actor=f"boss{n % 20}", roles=MANAGER)
            won.append(f"boss{n % 20}")
        except Refused:
            pass

    threads = [threading.Thread(target=approve, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won)) == people and sorted(one["by"] for one in body(on)["given"]) == sorted(
        won
    )
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1
    refused = on.runs.records.find("audit", {"action": "playbook.approved.refused"}, limit=1000)
    assert len(refused) == 100 - people and {entry.body["target"] for entry in refused} == {on.run_id}
    assert {entry.body["details"]["why"] for entry in refused} <= {"decided", "twice"}
    assert {entry.body["actor"] for entry in refused} <= {f"boss{n}" for n in range(20)}
    assert on.runs.audit.verify() == []


def test_an_approval_that_waited_too_long_for_the_tower(tmp_path: Path) -> None:
    """The tower was down for a day after the approval: it asks again before it acts."""
    on = one(tmp_path)
    on.approve()
    on.tick(24 * 60)
    assert on.run.state is RunState.PROPOSED and on.stage.acts == []
    assert told(on) == ("suzuki", on.run_id, "too_old")
    assert [words.ja for _, words in on.runs.news] == [
        "承認の有効期間が過ぎたため、もう一度承認をお願いしています"
    ]
    on.tick()
    on.approve("boss1")
    assert on.tick().state is RunState.DONE


def test_who_lost_the_office_after_the_approval(tmp_path: Path) -> None:
    """The account was locked between the approval and the act: it counts for nothing, and the log says whose it was."""
    on = one(tmp_path)
    on.approve()
    on.runs.records.put("user", "suzuki", {"name": "suzuki", "roles": MANAGER, "disabled": True})
    on.tick()
    assert on.run.state is RunState.PROPOSED and on.stage.acts == []
    who, what, why = told(on)
    assert (who, what) == ("suzuki", on.run_id) and "suzuki does not hold the role" in why


@pytest.mark.parametrize("harm", ["edit", "drop", "swap", "cut"])
def test_what_is_done_to_the_log_of_an_attack_is_named(tmp_path: Path, harm: str) -> None:
    """Whoever hides a refusal in the audit log is found, with the entry."""
    on = one(tmp_path)
    for _ in range(3):
        with pytest.raises(Refused):
            on.desk.approve(on.run_id, actor="sato", roles=ANALYST)
    on.desk.automation.stop("疑い", actor="sato", roles=ANALYST)
    records = on.runs.records
    refusal, after = records.get("audit", "000000000003"), records.get("audit", "000000000004")
    last = records.last("audit")
    assert refusal is not None and after is not None and last is not None
    if harm == "edit":
        records.put("audit", refusal.id, {**refusal.body, "actor": "ito"})
    elif harm == "drop":
        records.delete("audit", refusal.id)
    elif harm == "swap":
        records.put("audit", refusal.id, after.body)
        records.put("audit", after.id, refusal.body)
    else:
        records.delete("audit", last.id)
    named = {problem.entry for problem in on.runs.audit.verify()}
    assert (last.id if harm == "cut" else refusal.id) in named
