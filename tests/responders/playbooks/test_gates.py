"""Gates and what targets say beforehand: nobody is asked to approve what cannot be done, and nothing that goes wrong in asking the
target keeps the question from people."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from responders.connectors.protocol import Done
from responders.playbooks.foretold import Patience
from responders.playbooks.run import APPROVAL, RunState, StepState
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, scene, written

KEEP = "  - evidence: {of: [user.name], hours: 24}\n"
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"
ISOLATE = "  - {act: endpoint.isolate, value: host.name}\n"
DISABLE = "  - {act: directory.disable_account, value: user.name}\n"
TELL = "  - tell: ciso\n"
PURGE = "  - {act: mail.purge, value: email.message_id}\n"
HOSTS = {**ENTITIES, "host.name": ["pc-1", "pc-2"]}


def _scene(folder: Path, steps: str, *, head: str = HEAD, **broken: object) -> Scene:
    """The playbook approved, come to its gate."""
    folder.mkdir(exist_ok=True)
    on = scene(folder, written(folder, steps, head), entities=HOSTS, stage=Broken(**broken))  # type: ignore[arg-type]
    on.approve()
    on.tick()
    return on


def _asked(on: Scene) -> list[str]:
    """The plans and gates that wait for an answer."""
    return [one.id for one in on.runs.records.find(APPROVAL, {"state": "open"})]


def _request(on: Scene) -> dict[str, Any]:
    """The request for the plan as a whole."""
    held = on.runs.records.get(APPROVAL, on.run_id)
    assert held is not None
    return dict(held.body)


def test_nobody_is_asked_for_what_every_target_refuses(tmp_path: Path) -> None:
    """Both machines are unknown to the product: no request, the refusals in the journal and the audit log, and what stands behind
    goes on as after a refusal."""
    on = _scene(tmp_path, KEEP + GATE + ISOLATE + TELL, unmanaged={"pc-1", "pc-2"})
    assert _asked(on) == [] and on.stage.acts == []
    assert "断るため" in on.step("approve").result_ja and on.step("approve").state is StepState.SKIPPED
    assert [one.state for one in on.run.acts] == [StepState.FAILED] * 2
    assert "管理の対象にありません" in on.run.acts[0].result_ja
    assert on.step("tell").state is StepState.DONE and on.run.state is RunState.FAILED
    assert on.audit().count("playbook.step_refused") == 2 and "playbook.gate_not_asked" in on.audit()
    assert not on.run.undoable


@pytest.mark.parametrize(("way", "end"), [("undo", RunState.UNDONE), ("stop", RunState.FAILED)])
def test_the_playbook_says_what_follows_a_refusal(tmp_path: Path, way: str, end: RunState) -> None:
    """on_failure holds as it does for an act that is refused when it is done."""
    head = HEAD + f"on_failure: {way}\n"
    on = _scene(tmp_path, KEEP + DISABLE + GATE + ISOLATE + TELL, head=head, unmanaged={"pc-1", "pc-2"})
    assert on.run.state is end and "tell" not in on.kept
    assert on.stage.verify("directory.disable_account", {"account": "t.yamada"}) is (way == "stop")


def test_what_would_be_refused_is_said_to_who_decides(tmp_path: Path) -> None:
    """One of two machines: the question is put, names the other and why, and what can be done is done."""
    on = _scene(tmp_path, KEEP + GATE + ISOLATE, unmanaged={"pc-2"})
    gate = on.step("approve")
    assert gate.state is StepState.WAITING and _asked(on)
    assert "pc-2 を隔離する(管理の対象にありません。)" in gate.result_ja and "pc-1" not in gate.result_ja
    assert "pc-2 (it is not managed here)" in gate.result_en
    on.approve("mori", gate=gate.index)
    assert on.tick().state is RunState.FAILED and on.stage.acts == [("endpoint.isolate", "pc-1")]


def _breaks(action: str) -> None:
    raise ValueError(action)


@pytest.mark.parametrize("planned", [_breaks, lambda action: time.sleep(30)], ids=["broken", "silent"])
def test_a_target_that_cannot_be_asked_keeps_no_question_back(tmp_path: Path, planned: object) -> None:
    """It breaks, or does not answer: people are asked as ever, within the patience; after a silent one the next gate does not wait."""
    steps = KEEP + GATE + ISOLATE
    on = scene(tmp_path, written(tmp_path, steps), entities=HOSTS)
    on.stage.planned, on.runs.patience = planned, Patience(0.2)  # type: ignore[assignment]
    on.approve()
    began = time.monotonic()
    on.tick()
    assert _asked(on) and on.step("approve").result_ja == "" and time.monotonic() - began < 15
    asked = list[str]()
    on.stage.planned = asked.append
    on.tick(11)
    assert _asked(on) and bool(asked) is (planned is _breaks), "asked anew after its time"


def test_asked_anew_it_is_looked_at_anew(tmp_path: Path) -> None:
    """Nobody answered for ten minutes, and by now the product knows neither machine: the request is taken back, nobody asked again."""
    on = _scene(tmp_path, KEEP + GATE + ISOLATE)
    assert _asked(on)
    on.stage.unmanaged = {"pc-1", "pc-2"}
    assert on.tick(11).state is RunState.FAILED and _asked(on) == []


def test_protected_since_the_plan_is_a_refusal(tmp_path: Path) -> None:
    """What the configuration protects by now is not asked for, though the plan names it."""
    on = scene(tmp_path, written(tmp_path, KEEP + GATE + ISOLATE), entities=HOSTS)
    on.approve()
    on.runs.settings = on.runs.settings.model_copy(update={"protected": ["pc-*"]})
    on.tick()
    assert _asked(on) == [] and "守る対象" in on.run.acts[0].result_ja


@pytest.mark.parametrize("answered", [False, True])
def test_a_gate_of_an_incident_that_is_over(tmp_path: Path, answered: bool) -> None:
    """Closed while the CISO is asked: the request is taken back and what stands behind it not done, instead of being asked for every ten
    minutes for ever. An answer that was given before counts."""
    on = scene(tmp_path, written(tmp_path, KEEP + GATE + ISOLATE), entities=HOSTS)
    on.runs.records.put("incident", on.run.incident_id, {"status": "new"}, expect=0)
    on.approve()
    on.tick()
    if answered:
        on.approve("mori", gate=1)
    on.runs.records.put("incident", on.run.incident_id, {"status": "closed"})
    assert on.tick(1).state is RunState.DONE and _asked(on) == []
    assert len(on.stage.acts) == (2 if answered else 0)


def test_a_gate_behind_a_gate(tmp_path: Path) -> None:
    """Two offices one after the other before an act: both are asked; where it would be refused, neither."""
    two = KEEP + GATE + GATE.replace("ciso", "information_system_manager") + ISOLATE + TELL
    on = _scene(tmp_path / "asked", two)
    for person, gate in (("mori", 1), ("suzuki", 2)):
        on.approve(person, gate=gate)
        on.tick()
    assert on.run.state is RunState.DONE and len(on.stage.acts) == 2
    other = _scene(tmp_path / "refused", two, unmanaged={"pc-1", "pc-2"})
    assert _asked(other) == [] and other.run.step(2).state is StepState.SKIPPED
    assert other.step("tell").state is StepState.DONE


def test_an_act_that_hangs_on_an_answer_to_come_is_asked_for(tmp_path: Path) -> None:
    """Whether it would be done at all is not known yet: that it would be refused fails nothing beforehand."""
    asks = '  - {task_ja: 見る, asks: {name: seen, choices: ["no", "yes"]}}\n'
    later = "  - if: \"answers.seen == 'yes'\"\n    then: [{act: endpoint.isolate, value: host.name}]\n"
    on = _scene(tmp_path, KEEP + GATE + asks + later, unmanaged={"pc-1", "pc-2"})
    assert _asked(on) and "断られます" in on.step("approve").result_ja


def test_a_plan_says_what_would_be_refused_when_it_is_put(tmp_path: Path) -> None:
    """One of two machines is unknown: the request and the plan name it before anybody decided; what can be done is done once approved."""
    on = scene(tmp_path, written(tmp_path, KEEP + ISOLATE), entities=HOSTS, stage=Broken(unmanaged={"pc-2"}))
    asked = _request(on)
    assert asked["state"] == "open" and asked["warned_ja"] == on.run.warned_ja
    assert (
        "pc-2 を隔離する(管理の対象にありません。)" in asked["warned_ja"] and "pc-1" not in asked["warned_ja"]
    )
    assert "pc-2 (it is not managed here)" in asked["warned_en"] and on.stage.acts == []
    on.approve()
    on.tick()
    assert on.stage.acts == [("endpoint.isolate", "pc-1")]


def test_a_plan_put_anew_is_looked_at_anew(tmp_path: Path) -> None:
    """Nobody decided in time and the product knows the machine by now: nothing is refused any more, and the plan is the same."""
    on = scene(tmp_path, written(tmp_path, KEEP + ISOLATE), entities=HOSTS, stage=Broken(unmanaged={"pc-2"}))
    plan = on.run.plan_hash
    on.stage.unmanaged = set()
    on.tick(31)
    assert (on.run.warned_ja, on.run.warned_en, on.run.plan_hash) == ("", "", plan)
    assert _request(on)["warned_ja"] == "" and _request(on)["expires"] == on.run.expires.isoformat()


def test_a_rehearsal_asks_no_target(tmp_path: Path) -> None:
    """A plan that is not armed says itself what would happen, once it is carried through."""
    asked = list[str]()
    on = scene(
        tmp_path,
        written(tmp_path, KEEP + ISOLATE),
        settings={"armed": []},
        stage=Broken(planned=asked.append),
    )
    assert on.run.dry_run and asked == [] and on.run.warned_ja == ""


def test_a_plan_put_anew_to_a_target_that_is_silent(tmp_path: Path) -> None:
    """It said that it would refuse, and says nothing now: that still stands, in the request and the plan, until it says otherwise."""
    on = scene(tmp_path, written(tmp_path, KEEP + ISOLATE), entities=HOSTS, stage=Broken(unmanaged={"pc-2"}))
    said = on.run.warned_ja, on.run.warned_en
    on.stage.planned = _breaks
    on.tick(31)
    assert "pc-2" in said[0] and (on.run.warned_ja, on.run.warned_en) == said
    assert _request(on)["warned_ja"] == said[0]
    on.stage.planned, on.stage.unmanaged = str, set()
    on.tick(31)
    assert (on.run.warned_ja, on.run.warned_en) == ("", "")


def test_a_warning_about_many_can_be_read(tmp_path: Path) -> None:
    """Of five things that the product does not know three are named and two counted: it stands in a message, too."""
    about = {**ENTITIES, "host.name": ["pc-1", "pc-2", "pc-3"]}
    stage = Broken(unmanaged={*about["host.name"], "t.yamada", "c2.example.net"})
    steps = KEEP + ISOLATE + DISABLE + "  - {act: dns.sinkhole, value: dns.question.name}\n"
    on = scene(tmp_path, written(tmp_path, steps), entities=about, stage=stage)
    assert len(on.run.acts) == 5 and on.run.warned_ja.count("管理の対象にありません") == 3
    assert on.run.warned_ja.endswith("、ほか 2 件") and on.run.warned_en.endswith("; 2 more")


@dataclass(slots=True)
class Searched(Broken):
    """Purges what it finds: two copies, where it says so beforehand."""

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        return action == "mail.purge"

    def within(self, extent: Collection[str]) -> "Searched":
        """See `Searching`."""
        return self

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Two, for what is searched for."""
        Broken.plan(self, action, values)
        return Done("2 通を隔離します。", "two", extent=("a", "b") if action == "mail.purge" else None)


@pytest.mark.parametrize("gate", ["", GATE], ids=["plan", "gate"])
def test_what_nobody_could_count_is_said_to_who_decides(tmp_path: Path, gate: str) -> None:
    """The mails could not be searched for in time: approving is approving whatever is found, and the question says so; of the machine in
    the same plan it says nothing. Counted when it is put anew, it does not any more."""
    stage = Searched(planned=_breaks)
    on = scene(tmp_path, written(tmp_path, KEEP + gate + PURGE + ISOLATE), entities=HOSTS, stage=stage)
    if gate:
        on.approve()
        on.tick()
    ja, en = (on.step("approve").result_ja if gate else on.run.warned_ja), on.run.warned_en
    assert "数を確かめられませんでした" in ja and "<1@example.net>" in ja and "pc-1" not in ja
    assert "could not be counted" in en and (gate or _request(on)["warned_ja"] == ja)
    on.stage.planned = str
    on.tick(31)
    assert "数を" not in (on.step("approve").result_ja if gate else on.run.warned_ja)
    assert (
        on.step("mail.purge").extent == ["a", "b"] and on.step("mail.purge").result_ja == "2 通を隔離します。"
    )


def test_a_target_that_owes_an_answer_is_not_asked_another() -> None:
    """Each minute one more question, each with a thread that nobody ends: one at a time for each target, the others as ever."""
    patience, answered = Patience(), Event()
    first = patience.ask("mail", Thread(target=answered.wait, daemon=True))
    assert first and patience.ask("mail", Thread(target=answered.wait)) is None
    assert patience.ask("directory", Thread(target=answered.wait, daemon=True))
    answered.set()
    first.join()
    assert patience.ask("mail", Thread(target=answered.wait))


@dataclass(slots=True)
class Heard(Patience):
    """Begins to wait only once this target has said what it has to, however loaded the machine is."""

    answered: Event = field(default_factory=Event)

    def join(self, threads: Any) -> None:
        """See `Patience`."""
        self.answered.wait(20)
        Patience.join(self, threads)


@dataclass(slots=True)
class Silent(Broken):
    """Does not say beforehand what it would do; counts how often it was asked."""

    times: int = 0

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Long."""
        self.times += 1
        time.sleep(30)
        return Broken.plan(self, action, values)


def test_a_silent_target_hides_nothing_and_holds_up_little(tmp_path: Path) -> None:
    """Beside a target that is silent the other's refusal is heard; a hundred plans together wait no longer than one."""
    on = scene(tmp_path, written(tmp_path, KEEP + DISABLE + ISOLATE), entities=HOSTS)
    patience = Heard(0.4)
    silent, other = Silent(), Broken(unmanaged={"pc-1"}, planned=lambda action: patience.answered.set())
    on.runs.world = replace(
        on.runs.world, connectors=lambda action, at: silent if "directory" in action else other
    )
    on.runs.patience = patience
    began = time.monotonic()
    for number in range(100):
        on.runs.propose(on.run.model_copy(update={"id": f"run-{number}"}))
    assert silent.times == 1 and time.monotonic() - began < 10
    first, last = (on.runs.records.get("playbook_run", f"run-{number}") for number in (0, 99))
    assert first and "pc-1" in first.body["warned_ja"] and "t.yamada" not in first.body["warned_ja"]
    assert last and last.body["warned_ja"] == "" and len(_asked(on)) == 101
