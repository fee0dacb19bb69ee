"""What people decide about automation and the rota, controls and rules: the same desk as that of the pages."""

from typing import Any

from dashboards.api import bodies
from dashboards.api.calls import bodies_of, one, several
from dashboards.api.endpoint import Call, Endpoint, Missing, dumped
from dashboards.api.models import Listed, Nothing, Reason
from dashboards.compliance.judgement import KIND as ATTESTATION
from dashboards.console import automation_page, compliance_page, on_duty, residents, rules_page
from dashboards.console.access import Access
from dashboards.console.casework import Casework
from hinomi.words import Words
from responders import delegation
from responders.exercises import KIND as EXERCISE
from responders.incidents import suppression
from responders.oncall.standins import NOTE, OVERRIDE
from responders.playbooks.permits import KIND as PERMIT
from responders.playbooks.run import KIND as RUN


def automation(call: Call) -> Listed:
    """Whether playbooks act, who stopped them and why; delegations and permits that hold or will."""
    console, now = call.visit.console, call.visit.console.clock.now()
    casework = Casework(console.records)
    state = automation_page.state(console)
    return Listed(
        items=[
            {
                "automation": dumped(state),
                "delegations": bodies_of(casework.not_over(delegation.KIND, now)),
                "permits": bodies_of(casework.not_over(PERMIT, now)),
            }
        ],
        next=None,
    )


def stop(call: Call) -> Listed:
    """Throw the kill switch."""
    call.desk.automation.stop(call.body.reason, **call.who)
    return automation(call)


def resume(call: Call) -> Listed:
    """Let playbooks act again."""
    call.desk.automation.resume(call.body.reason, **call.who)
    return automation(call)


def delegate(call: Call) -> Listed:
    """Lend one's own office."""
    body = call.body
    made = call.desk.automation.delegate(body.person, body.start, body.end, body.reason, **call.who)
    return one(made)


def end_delegation(call: Call) -> Listed:
    """Take it back early."""
    call.desk.automation.end_delegation(_there(call, delegation.KIND, "delegation"), **call.who)
    return automation(call)


def permit(call: Call) -> Listed:
    """Let somebody act before the approval."""
    body = call.body
    made = call.desk.acting_first.permit(body.person, body.start, body.end, body.reason, **call.who)
    return one(made)


def end_permit(call: Call) -> Listed:
    """Take a permit back early."""
    call.desk.acting_first.end_permit(_there(call, PERMIT, "permit"), **call.who)
    return automation(call)


def exercises(call: Call) -> Listed:
    """Drills and trainings that took place, the newest first."""
    return several(call.visit.console.records.find(EXERCISE, order="-on", limit=500))


def add_exercise(call: Call) -> Listed:
    """Record one that took place."""
    body = call.body
    said = Words(body.result, body.result)
    return one(call.desk.exercises.add(body.what, body.on, body.title, body.people, result=said, **call.who))


def act_first(call: Call) -> Listed:
    """A step is done before its approval."""
    body = call.body
    made = call.desk.acting_first.act(
        _there(call, RUN, "run"),
        _index(call),
        body.reason,
        **call.who,
        plan=body.plan,
    )
    return one(made)


def finish_run_task(call: Call) -> Listed:
    """A task at which a run stands is done."""
    body, run = call.body, _there(call, RUN, "run")
    call.desk.automation.finish_task(run, _index(call), **call.who, answer=body.answer, note=body.note)
    return _read(call, RUN, run)


def extend(call: Call) -> Listed:
    """An act with an end stands until another time."""
    body, run = call.body, _there(call, RUN, "run")
    call.desk.automation.extend(run, _index(call), body.until, body.reason, **call.who)
    return _read(call, RUN, run)


def undo(call: Call) -> Listed:
    """Put a run back; one that is under way is stopped first."""
    run = _there(call, RUN, "run")
    call.desk.undo(run, **call.who, note=call.body.note)
    return _read(call, RUN, run)


def oncall(call: Call) -> Listed:
    """Who is on call in the next two weeks, stand-ins, hand-over notes, holes of the rota."""
    console, now = call.visit.console, call.visit.console.clock.now()
    people = bool(console.responding.oncall.people)
    made = {
        "shifts": dumped(on_duty.shifts(call.visit, 28)),
        "holes": dumped(on_duty.rota(console).holes(now, on_duty.DAYS)) if people else [],
        "stand_ins": bodies_of(Casework(console.records).not_over(OVERRIDE, now)),
        "notes": bodies_of(console.records.find(NOTE, {"state": "open"}, order="-at", limit=50)),
    }
    return Listed(items=[made], next=None)


def stand_in(call: Call) -> Listed:
    """Somebody is on call in place of whoever the rota names."""
    visit, body = call.visit, call.body
    made = call.desk.roster.stand_in(
        body.person,
        body.start,
        body.end,
        body.reason,
        settings=visit.console.responding.oncall,
        **call.who,
    )
    return one(made)


def drop_stand_in(call: Call) -> Listed:
    """The rota holds again."""
    call.desk.roster.drop_stand_in(_there(call, OVERRIDE, "override"), **call.who)
    return oncall(call)


def hand_over(call: Call) -> Listed:
    """Something that whoever comes next must know."""
    return one(call.desk.roster.note(call.body.note, **call.who))


def maintenance(call: Call) -> Listed:
    """Planned work: alerts about it call nobody."""
    body = call.body
    made = call.desk.roster.plan_maintenance(body.title, body.start, body.end, body.where, **call.who)
    return one(made)


def end_maintenance(call: Call) -> Listed:
    """The work is over: alerts about it call again."""
    call.desk.roster.end_maintenance(_there(call, suppression.KIND, "maintenance"), **call.who)
    return silences(call)


def silences(call: Call) -> Listed:
    """What is silent now: reviewed exceptions and planned maintenance."""
    return several(call.visit.console.records.find(suppression.KIND, limit=1000))


def attest(call: Call) -> Listed:
    """What a person says of a control."""
    body = call.body
    control = str(call.visit.request.path_params["control"])
    compliance_page.record(
        call.visit, control, body.said, body.note.strip(), body.owner.strip(), body.due, base=body.version
    )
    return _read(call, ATTESTATION, control)


def try_rule(call: Call) -> Listed:
    """What a draft would have matched on past days; nothing goes live."""
    wrong, found = rules_page.tried(call.visit, call.body.draft, call.body.days)
    problems = [call.visit.texts.of(one.reason.ja, one.reason.en) for one in wrong]
    return Listed(items=[dumped({"problems": problems, "found": found})], next=None)


def replay(call: Call) -> Listed:
    """The dead letters of a source are to be read again."""
    return one(call.desk.replays.ask(call.body.source, call.body.reason, **call.who))


def replays(call: Call) -> Listed:
    """Askings to read dead letters again, newest first, with what came of them."""
    return several(call.desk.replays.latest(100))


def reveal(call: Call) -> Listed:
    """Record why raw lines about residents must be looked at; it counts for a while."""
    until = residents.granted(call.visit, call.body.scope, call.body.reason.strip())
    return Listed(items=[dumped({"scope": call.body.scope, "until": until})], next=None)


def _there(call: Call, kind: str, name: str) -> str:
    identity = str(call.visit.request.path_params[name])
    if call.visit.console.records.get(kind, identity) is None:
        raise Missing("この番号のものはありません。", "there is nothing with this id")
    return identity


def _index(call: Call) -> int:
    return min(int(call.visit.request.path_params["index"]), 2**31)


def _read(call: Call, kind: str, identity: str) -> Listed:
    held = call.visit.console.records.get(kind, identity)
    return several([held] if held else [])


R, W, A = Access.READ, Access.WORK, Access.APPROVE
_STEP = "/runs/{run}/steps/{index:int}"


def _act(path: str, access: Access, about: str, handler: Any, given: Any, **more: Any) -> Endpoint:
    return Endpoint("POST", path, access, about, handler, Listed, given, desk=True, **more)


ENDPOINTS = (
    Endpoint("GET", "/automation", R, "Kill switch, delegations, permits", automation, Listed),
    _act("/automation/stop", W, "Throw the kill switch", stop, Reason),
    _act("/automation/resume", A, "Let playbooks act again", resume, Reason),
    _act("/automation/delegations", A, "Lend one's office", delegate, bodies.Spell),
    _act("/automation/delegations/{delegation}/end", A, "End a delegation", end_delegation, Nothing),
    _act("/automation/permits", A, "Permit to act first", permit, bodies.Spell),
    _act("/automation/permits/{permit}/end", A, "End a permit", end_permit, Nothing),
    Endpoint("GET", "/exercises", R, "Drills and trainings", exercises, Listed),
    _act(
        "/exercises",
        W,
        "Record a drill or training",
        add_exercise,
        bodies.Exercise,
        most=bodies.MOST_EXERCISE,
    ),
    _act(f"{_STEP}/first", W, "Do a step before its approval", act_first, bodies.First),
    _act(f"{_STEP}/task", W, "Finish a task of a run", finish_run_task, bodies.Answer, apart=True),
    _act(f"{_STEP}/extend", A, "Prolong an act with an end", extend, bodies.Until, apart=True),
    _act("/runs/{run}/undo", A, "Put a run back", undo, bodies.Note, apart=True),
    Endpoint("GET", "/oncall", R, "The rota", oncall, Listed),
    _act("/oncall/stand-ins", W, "Stand in", stand_in, bodies.Spell),
    _act("/oncall/stand-ins/{override}/drop", W, "Drop a stand-in", drop_stand_in, Nothing),
    _act("/oncall/notes", W, "Leave a hand-over note", hand_over, bodies.Note),
    _act("/maintenance", W, "Plan maintenance", maintenance, bodies.Maintenance),
    _act("/maintenance/{maintenance}/end", W, "End maintenance", end_maintenance, Nothing),
    Endpoint("GET", "/suppressions", R, "What is silent now", silences, Listed),
    _act("/compliance/{control}", A, "Say something of a control", attest, bodies.Attest),
    _act("/rules/try", W, "Try a draft on past days", try_rule, bodies.Draft),
    Endpoint("GET", "/sources/replays", R, "Dead letters read again", replays, Listed),
    _act("/sources/replay", W, "Read dead letters again", replay, bodies.Replay),
    _act("/residents", W, "Record why residents' logs are looked at", reveal, bodies.Reveal, apart=True),
)
