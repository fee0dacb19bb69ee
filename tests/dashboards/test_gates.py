"""What a running playbook waits for is decided on the incident page: gates in the middle of it, and tasks of people."""

from datetime import datetime, timedelta

import pytest

from hinomi.clock import JST
from hinomi.incident import Incident
from responders.playbooks.approvals import Approvals
from responders.playbooks.permits import FIRST
from responders.playbooks.run import KIND, Run, RunState, RunStep, StepState
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City


@pytest.fixture
def run(own_city: City) -> Run:
    """Incident 1's run, begun, at a gate for two people (step 90) and at a task with two answers (step 91)."""
    record = own_city.records.get("incident", "inc-1")
    assert record is not None
    held = own_city.records.get(KIND, Incident.model_validate(record.body).run_ids[0])
    assert held is not None
    gate = RunStep(
        index=90,
        title_ja="端末を網から切り離す",
        title_en="Cut the PC off",
        kind="approve",
        role="information_system_manager",
        people=2,
        state=StepState.WAITING,
        expires=NOW + timedelta(minutes=30),
    )
    task = RunStep(
        index=91,
        title_ja="本人に電話で確かめる",
        title_en="Call the person",
        kind="task",
        asks="known",
        choices=["はい", "いいえ"],
        state=StepState.WAITING,
    )
    proposed = Run.model_validate(held.body)
    begun = proposed.model_copy(update={"state": RunState.RUNNING, "steps": [*proposed.steps, gate, task]})
    own_city.records.put(KIND, begun.id, begun.model_dump(mode="json"))
    assert Approvals(own_city.records, own_city.clock, own_city.desk.audit).ask(begun, gate=gate)
    return begun


def test_what_targets_would_refuse_stands_above_the_decision(own_city: City, run: Run) -> None:
    """While the plan waits its page says what approving it would not do; once it runs, each step says how it went."""
    warned = run.model_copy(
        update={"warned_ja": "承認しても、次は断られます: 端末 pc-9", "warned_en": "refused: pc-9"}
    )
    for state, said in ((RunState.PROPOSED, True), (RunState.RUNNING, False)):
        own_city.records.put(KIND, run.id, warned.model_copy(update={"state": state}).model_dump(mode="json"))
        page = browser(own_city, "k.mori").get("/incidents/1").text
        assert ('<p class="small warn"><b>承認しても、次は断られます: 端末 pc-9' in page) is said


def test_the_next_step_warns_where_it_asks_for_the_decision(own_city: City, run: Run) -> None:
    """Whoever decides at the head of the page reads what would be refused there, too: of the plan, and of a gate within it."""
    said = {"ja": "次は断られます: pc-9", "en": "refused: pc-9"}
    own_city.desk.acknowledge("inc-1", actor="m.kato", roles=["analyst"])
    steps = [
        one.model_copy(update={"result_ja": said["ja"], "result_en": said["en"]}) if one.index == 90 else one
        for one in run.steps
        if one.index != 91
    ]
    at_gate = run.model_copy(update={"steps": steps})
    own_city.records.put(KIND, run.id, at_gate.model_dump(mode="json"))
    for language, words in said.items():
        page = browser(own_city, "k.mori").get(f"/incidents/1?lang={language}").text
        head = page.partition('class="next-step"')[2].partition("</section>")[0]
        assert f'<p class="small warn"><b>{words}</b></p>' in head
        assert page.count(words) > head.count(words)


def test_gate_is_decided_on_the_page(own_city: City, run: Run) -> None:
    """The page says what the gate lets happen; each of two people approves once, and the first is told to wait."""
    first, second = browser(own_city, "k.mori"), browser(own_city, "y.ota")
    page = first.get("/incidents/1").text
    assert "端末を網から切り離す" in page and f'action="/approvals/{run.id}.90"' in page
    assert f'action="/approvals/{run.id}"' not in page  # the plan itself was decided before
    answer = first.post(f"/approvals/{run.id}.90", decision="approve", plan=run.plan_hash)
    assert answer.headers["location"] == "/incidents/1?done=approved"
    again = first.get("/incidents/1").text
    assert "あなたの承認は記録済みです" in again and f'action="/approvals/{run.id}.90"' not in again
    assert second.post(f"/approvals/{run.id}.90", decision="approve").status_code == 303
    held = own_city.records.get("approval", f"{run.id}.90")
    assert held is not None and held.body["state"] == "approved"
    assert [one["by"] for one in held.body["given"]] == ["k.mori", "y.ota"]


def test_gate_counts_as_waiting_in_the_queue(own_city: City, run: Run) -> None:
    """An incident whose run stands at a gate is among those that wait for approval; a closed gate is not."""
    visitor = browser(own_city, "m.kato")
    assert '/incidents/1"' in visitor.get("/?view=approval").text
    browser(own_city, "k.mori").post(f"/approvals/{run.id}.90", decision="deny")
    assert '/incidents/1"' not in visitor.get("/?view=approval").text


def test_who_may_not_decide_is_told_why(own_city: City, run: Run) -> None:
    """An analyst sees who may decide and no button; posting by hand is refused."""
    visitor = browser(own_city, "m.kato")
    page = visitor.get("/incidents/1").text
    assert "の承認を待っています" in page and f'action="/approvals/{run.id}.90"' not in page
    assert visitor.post(f"/approvals/{run.id}.90", decision="approve").status_code == 403


def test_task_is_answered_on_the_page(own_city: City, run: Run) -> None:
    """The choices stand in the form; another answer is refused; the first answer stands and the form is gone."""
    visitor = browser(own_city, "m.kato")
    assert "<option>いいえ</option>" in visitor.get("/incidents/1").text
    assert visitor.post(f"/runs/{run.id}/tasks/91", answer="たぶん").status_code == 400
    answer = visitor.post(f"/runs/{run.id}/tasks/91", answer="いいえ", note="03:40 に電話")
    assert answer.headers["location"] == "/incidents/1?done=task_done"
    held = own_city.records.get("playbook_task", f"{run.id}.91")
    assert held is not None and (held.body["by"], held.body["answer"]) == ("m.kato", "いいえ")
    assert f"/runs/{run.id}/tasks/91" not in visitor.get("/incidents/1").text
    assert visitor.post(f"/runs/{run.id}/tasks/91", answer="はい").status_code == 400
    assert [one["details"]["answer"] for one in visitor.audited("playbook.task")] == [
        "たぶん",
        "いいえ",
        "はい",
    ]


def test_act_first_is_done_on_the_page(own_city: City, run: Run) -> None:
    """At night whoever is permitted sees the button and must say why; nobody else does; who did it and until when is said."""
    night = datetime(2026, 11, 21, 2, tzinfo=JST)
    own_city.clock.advance(night - own_city.clock.now())
    marked = RunStep(
        index=92,
        title_ja="端末 pc-114 を隔離する",
        title_en="Isolate pc-114",
        kind="act",
        act="endpoint.isolate",
        values={"host": "pc-114"},
        can_undo=True,
        first_hours=12,
    )
    waits = {"state": RunState.PROPOSED, "dry_run": False, "steps": [marked]}
    waiting = run.model_copy(update=waits)
    own_city.records.put(KIND, run.id, waiting.model_dump(mode="json"))
    address, visitor = f"/runs/{run.id}/first/92", browser(own_city, "m.kato")
    assert address not in visitor.get("/incidents/1").text
    assert visitor.post(address, reason="拡散", plan=waiting.plan_hash).status_code == 403
    own_city.desk.acting_first.permit(
        "m.kato",
        night,
        night + timedelta(days=1),
        "夜間当番",
        actor="k.mori",
        roles=["information_system_manager"],
    )
    assert f'action="{address}"' in visitor.get("/incidents/1").text
    assert address not in browser(own_city, "k.mori").get("/incidents/1").text
    assert visitor.post(address, reason=" ", plan=waiting.plan_hash).status_code == 400
    assert visitor.post(address, reason="拡散", plan="old").status_code == 403
    answer = visitor.post(address, reason="拡散を止める", plan=waiting.plan_hash)
    assert answer.headers["location"] == "/incidents/1?done=acted_first"
    assert address not in visitor.get("/incidents/1").text
    held = own_city.records.get(FIRST, f"{run.id}.92")
    assert held is not None and (held.body["by"], held.body["reason"]) == ("m.kato", "拡散を止める")
    until = (night + timedelta(hours=12)).isoformat()
    own_city.records.put(FIRST, held.id, {**held.body, "state": "acted", "until": until})
    assert "m.kato さんが承認の前に行いました" in visitor.get("/incidents/1").text
    assert [one["details"]["why"] for one in visitor.audited("playbook.act_first.refused")] == [
        "no_permit",
        "plan_changed",
    ]
