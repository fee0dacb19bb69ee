"""From an incident and a playbook to a plan: which step does what to whom, after what, under which conditions.

A plan is flat: branches, loops and choices become steps that say what they come after and when they hold. So a person
approves exactly what would be done to whom, and a crash finds one list. Choices that the incident alone decides are made
here; those that hang on a person's answer stay in the plan as conditions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.alert import Alert, Level
from hinomi.calendar import is_day_off
from hinomi.clock import JST
from hinomi.identity import account
from hinomi.incident import Incident
from hinomi.text import inert
from hinomi.words import Words
from responders.connectors.actions import ACTIONS
from responders.duties.duty import duties
from responders.incidents.entities import is_machines, machine
from responders.playbooks import authority, condition
from responders.playbooks.following import Place, act_of
from responders.playbooks.playbook import Playbook
from responders.playbooks.protection import Protection
from responders.playbooks.run import PROTECTED, SETTLED, Run, RunStep, StepState
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.step import OF_INCIDENT, Step, walked
from responders.roles import told

_FIRST = Place()
_MOST_VALUES = 3
_LONGEST_TITLE = 200
_PEOPLE = {"user.name", "user.email", "user.target.name"}


def plan(
    incident: Incident,
    alerts: Sequence[Alert],
    playbook: Playbook,
    settings: PlaybookSettings,
    now: datetime,
    inside: Sequence[str] = (),
    place: Place = _FIRST,
    named: Mapping[str, Sequence[str]] | None = None,
) -> Run:
    """The run that the playbook proposes for the incident. inside: addresses that are never blocked; place: which of the
    playbook's runs it is, and what the others hold; named: the targets where a person said them, by field, and no others."""
    own = [alert for alert in alerts if alert.playbook == playbook.playbook] or list(alerts)
    known = facts(incident, alerts, now)
    compiler = _Compiler(own, known, Protection(settings, tuple(inside)), place, _headed(incident), named)
    compiler.sequence(playbook.steps, [], [], None, None)
    steps = _with_offices([RunStep.model_validate(one) for one in _alone(compiler.out)], incident)
    free = {ACTIONS[step.act].reach for step in steps if step.act and step.gate is None}
    needed = authority.of_reaches(free, incident.grade, incident.zones).joined(
        authority.Office(playbook.approver, playbook.people)
    )
    since = f"(追加 {place.number})", f" (follow-up {place.number})"
    more = Words(*since) if place.number and place.held else Words("", "")
    return Run(
        id=place.run_id(incident.id, playbook.playbook),
        incident_id=incident.id,
        playbook=playbook.playbook,
        title_ja=f"{playbook.title_ja}{more.ja}",
        title_en=f"{playbook.title_en}{more.en}",
        approver=needed.who,
        people=needed.people,
        on_failure=playbook.on_failure,
        facts=known,
        authority_inferred=authority.inferred(),
        impact_ja=playbook.impact_ja,
        impact_en=playbook.impact_en,
        dry_run=rehearsed(playbook, settings),
        created=now,
        expires=now + timedelta(minutes=playbook.approve_within_minutes),
        steps=steps,
    )


def rehearsed(playbook: Playbook, settings: PlaybookSettings) -> bool:
    """Whether a plan of the playbook would be a dry run now."""
    return playbook.playbook not in settings.armed or settings.paused


def _headed(incident: Incident) -> str:
    """Its number and title as one line that a ticket can have: the title may hold a name that a stranger chose."""
    return inert(f"#{incident.number} {incident.title_ja}", _LONGEST_TITLE)


def facts(incident: Incident, alerts: Sequence[Alert], now: datetime) -> dict[str, Any]:
    """What conditions speak of."""
    local = now.astimezone(JST)
    return {
        "grade": incident.grade,
        "level": str(incident.level),
        "zones": incident.zones,
        "tags": incident.tags,
        "rules": [alert.rule_name for alert in alerts],
        "users": incident.entities.get("user.name", []),
        "hosts": incident.entities.get("host.name", []),
        "addresses": incident.entities.get("source.ip", []),
        "alerts": len(alerts),
        "closed_day": is_day_off(local.date()),
        "hour": local.hour,
    }


def targets(name: str, alerts: Sequence[Alert]) -> list[str]:
    """Whom a step is for: values of alerts of high level or above that name few; never all victims of a spray."""
    found: dict[str, None] = {}
    for alert in alerts:
        values = alert.entities.get(name, [])
        if alert.level.rank >= Level.HIGH.rank and few(name, values):
            found |= {spelled(name, value): None for value in values if not _of_machine(name, value)}
    return _once(name, found)


def _of_machine(name: str, value: str) -> bool:
    return name in _PEOPLE and is_machines(value)


def few(name: str, values: Sequence[str]) -> bool:
    """Whether these can all be meant: of two addresses one may be the victim's own."""
    return 0 < len(values) <= (1 if name == "source.ip" else _MOST_VALUES)


def _once(name: str, found: Collection[str]) -> list[str]:
    """Each machine once, by its shorter name where it goes by two."""
    fuller = {machine(value) for value in found if machine(value) != value} if name == "host.name" else set()
    return [value for value in found if value not in fuller]


def spelled(name: str, value: str) -> str:
    """The one spelling of a target."""
    if name in _PEOPLE:
        return account(value)
    return value.strip().lower().rstrip(".$") if name == "host.name" else value


def _alone(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What may be done first is one target and no more: where there are several, a person approves them all."""
    marked = [one for one in steps if one.get("first_hours")]
    for one in marked:
        if len(marked) > 1 or one["when"] or one["gate"] is not None or one.get("state"):
            one["first_hours"] = None
        else:
            hours = one["first_hours"]
            one["title_ja"] += f"(夜間・閉庁日は先に行える。{hours} 時間以内に承認がなければ元に戻す)"
            one["title_en"] += (
                f" (may come first outside office hours; put back unless approved in {hours} hours)"
            )
    return steps


def _naming(gate: RunStep, acts: Sequence[RunStep]) -> RunStep:
    """The gate with the targets of what it covers, so that whoever decides sees what would be done to whom."""
    named = list(dict.fromkeys(_called(*pair) for one in acts for pair in one.values.items()))
    if not named:
        return gate
    ja = f"{gate.title_ja}(対象: {'、'.join(one.ja for one in named)})"
    en = f"{gate.title_en} (for: {', '.join(one.en for one in named)})"
    return gate.model_copy(update={"title_ja": ja, "title_en": en})


def _called(kind: str, value: str) -> Words:
    """What a target is called: a segment by its name, anything else as the log has it."""
    return ZONE_WORDS[Zone(value)] if kind == "segment" and value in set(Zone) else Words(value, value)


def _report(identity: str) -> Words:
    """A report that may be due, and to whom; its id where duties.yaml has none of it."""
    held = duties().get(identity)
    if held is None:
        return Words(identity, identity)
    return Words(f"{held.what.ja}({held.to.ja})", f"{held.what.en} ({held.to.en})")


def _with_offices(steps: list[RunStep], incident: Incident) -> list[RunStep]:
    """Gates with the office that what stands behind them needs, and with the targets by name."""
    found = []
    for step in steps:
        if step.kind == "approve":
            acts = [one for one in steps if one.act and one.gate == step.index and not one.settled]
            reaches = {ACTIONS[one.act].reach for one in acts}
            step = _naming(step, acts)
            needed = authority.of_reaches(reaches, incident.grade, incident.zones).joined(
                authority.Office(step.role, step.people)
            )
            step = step.model_copy(update={"role": needed.who, "people": needed.people})
        found.append(step)
    return found


@dataclass(slots=True)
class _Compiler:
    """Writes steps in the order in which they may run. Each method returns what comes before the next step.

    left_out: acts that are another run's; heading: the incident itself, as a ticket names it.
    """

    alerts: Sequence[Alert]
    facts: dict[str, Any]
    protection: Protection
    place: Place
    heading: str
    named: Mapping[str, Sequence[str]] | None = None
    out: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0

    def sequence(
        self,
        steps: Sequence[Step],
        after: list[int],
        when: list[str],
        gate: int | None,
        bound: tuple[str, str] | None,
    ) -> list[int]:
        """One after another. bound: the field of the loop around it and its value in this round."""
        for at, step in enumerate(steps):
            match step.kind:
                case "act":
                    after = self._act(step, after, when, gate, bound)
                case "choice":
                    after = self._choice(step, after, when, gate, bound)
                case "each":
                    after = self._each(step, after, when, gate)
                case "parallel":
                    ends = [self.sequence(branch, after, when, gate, bound) for branch in step.parallel]
                    after = sorted({index for end in ends for index in end})
                case "approve":
                    after = self._add(step, after, when, gate, self._gate(step, steps[at + 1 :]))
                    gate = after[0]
                case "evidence":
                    after = self._add(step, after, when, gate, self._evidence(step, bound))
                case _:
                    after = self._add(step, after, when, gate, _plain(step))
        return after

    def _add(
        self, step: Step, after: list[int], when: list[str], gate: int | None, fields: dict[str, Any]
    ) -> list[int]:
        """Returns the step; what nobody waits for (a person's task, a protected target) lets the next wait for what came before."""
        index = len(self.out)
        common = {"index": index, "kind": step.kind, "after": after, "when": when, "gate": gate}
        self.out.append({**common, "serves": [*step.serves, *step.nist], **fields})
        return after if fields.get("state") in SETTLED else [index]

    def _act(
        self, step: Step, after: list[int], when: list[str], gate: int | None, bound: tuple[str, str] | None
    ) -> list[int]:
        values = [bound[1]] if bound and bound[0] == step.value else self._of(step)
        planned = [self._done_to(step, value) for value in values]
        new = [one for one in planned if not self._held(one, bound)]
        self.left_out += len(planned) - len(new)
        ends = {end for fields in new for end in self._add(step, after, when, gate, fields)}
        return sorted(ends) or after

    def _held(self, fields: dict[str, Any], bound: tuple[str, str] | None) -> bool:
        """Whether another run does it. What hung on a person's answer there and was passed over hangs on it here again, unless
        it was for one victim alone."""
        act = act_of(fields["act"], fields["on"], fields["values"])
        return act in self.place.held and not (bound is None and act in self.place.passed_over)

    def _of(self, step: Step) -> list[str]:
        """Whom it is for. What is for the incident itself is for one run of it alone: its title grows with its alerts."""
        if step.value != OF_INCIDENT:
            return self._targets(step.value)
        return (
            [] if (step.act, step.target) in {(act, on) for act, on, _ in self.place.held} else [self.heading]
        )

    def _done_to(self, step: Step, value: str) -> dict[str, Any]:
        action, protected = ACTIONS[step.act], self.protection.covers(value)
        if action.value == "host" and not action.whole:
            value = machine(value)
        called = _called(action.value, value)
        fields: dict[str, Any] = {
            "title_ja": action.ja.format(v=called.ja),
            "title_en": action.en.format(v=called.en),
            "act": step.act,
            "on": step.target,
            "values": {action.value: value},
            "can_undo": step.undo and action.undoable,
            "checked": step.verify,
            "hours": step.for_hours,
            "an_hour": step.an_hour,
            "retries": step.retries,
            "within_minutes": step.within_minutes,
            "first_hours": step.act_first.confirm_within_hours if step.act_first else None,
        }
        if step.for_hours:
            fields["title_ja"] += f"({step.for_hours} 時間後に自動で解除)"
            fields["title_en"] += f" (lifted by itself after {step.for_hours} hours)"
        if protected:
            fields |= {
                "state": StepState.SKIPPED,
                "result_ja": PROTECTED.ja,
                "result_en": PROTECTED.en,
            }
        return fields

    def _choice(
        self, step: Step, after: list[int], when: list[str], gate: int | None, bound: tuple[str, str] | None
    ) -> list[int]:
        asked = condition.read(step.if_)
        if not asked.asks:
            branch = step.then if asked.holds(self.facts, {}) else step.else_
            return self.sequence(branch, after, when, gate, bound)
        ends = self.sequence(step.then, after, [*when, step.if_], gate, bound)
        if step.else_:
            ends = [*ends, *self.sequence(step.else_, after, [*when, f"not ({step.if_})"], gate, bound)]
        return sorted(set(ends))

    def _each(self, step: Step, after: list[int], when: list[str], gate: int | None) -> list[int]:
        """The rounds are independent of one another: one that waits holds up none of the others."""
        values = self._targets(step.each)
        ends = {end for value in values for end in self._round(step, after, when, gate, value)}
        return sorted(ends) or after

    def _round(
        self, step: Step, after: list[int], when: list[str], gate: int | None, value: str
    ) -> list[int]:
        """One victim's steps; none where all that they would do to it is another run's."""
        begin, left_out = len(self.out), self.left_out
        ends = self.sequence(step.steps, after, when, gate, (step.each, value))
        if self.left_out > left_out and not any(one.get("act") for one in self.out[begin:]):
            del self.out[begin:]
            return []
        return ends

    def _gate(self, step: Step, behind: Sequence[Step]) -> dict[str, Any]:
        assert step.approve is not None
        gate = step.approve
        return {
            "for_acts": any(one.act for one in walked(list(behind))),
            "title_ja": gate.shows_ja,
            "title_en": gate.shows_en,
            "role": gate.who,
            "people": gate.people,
            "within_minutes": gate.within_minutes,
        }

    def _evidence(self, step: Step, bound: tuple[str, str] | None) -> dict[str, Any]:
        assert step.evidence is not None
        about = {
            name: [bound[1]] if bound and bound[0] == name else self._all(name) for name in step.evidence.of
        }
        about = {name: values for name, values in about.items() if values}
        named = [value for values in about.values() for value in values[:3]]
        return {
            "title_ja": f"証拠を保全する: {'、'.join(named) or '警報のイベント'}(過去 {step.evidence.hours} 時間)",
            "title_en": f"Keep evidence: {', '.join(named) or 'events of the alerts'} (the last {step.evidence.hours} hours)",
            "about": about,
            "hours": step.evidence.hours,
        }

    def _targets(self, name: str) -> list[str]:
        if self.named is None:
            return targets(name, self.alerts)
        return _once(name, dict.fromkeys(spelled(name, value) for value in self.named.get(name, [])))

    def _all(self, name: str) -> list[str]:
        """Evidence is kept about everybody whom a person or the alerts name, not only about whom something is done to: first about
        those of whom no run before kept any."""
        found = dict.fromkeys((self.named or {}).get(name, []))
        found |= dict.fromkeys(value for alert in self.alerts for value in alert.entities.get(name, []))
        return sorted(found, key=lambda value: (name, value) in self.place.kept)[:20]


def _plain(step: Step) -> dict[str, Any]:
    match step.kind:
        case "task":
            state = StepState.PLANNED if step.wait or step.asks else StepState.FOR_PERSON
            return {
                "title_ja": step.task_ja,
                "title_en": step.task_en or step.task_ja,
                "state": state,
                "wait": step.wait or step.asks is not None,
                "asks": step.asks.name if step.asks else "",
                "choices": step.asks.choices if step.asks else [],
                "within_minutes": step.within_minutes,
                "if_late": step.if_late,
            }
        case "clock":
            due = _report(step.start_clock)
            return {
                "title_ja": f"報告の期限を数え始めるかを決める: {due.ja}",
                "title_en": f"Decide whether the reporting clock starts: {due.en}",
                "detail": step.start_clock,
            }
        case "tell":
            whom = told(step.tell)
            return {
                "title_ja": f"連絡する: {whom.ja}",
                "title_en": f"Tell: {whom.en}",
                "detail": step.tell,
            }
        case _:
            minutes = step.wait_minutes or 1
            return {
                "title_ja": f"{minutes} 分待つ",
                "title_en": f"Wait {minutes} minutes",
                "within_minutes": minutes,
            }
