"""The responder: alerts in; incidents, calls, escalation and playbook runs out. One process runs it."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from hinomi.alert import Alert
from hinomi.clock import Clock
from hinomi.errors import HinomiError, InputError, StoreError
from hinomi.faults import Faults
from hinomi.incident import NO_THREAT, OPENED_FROM, SPLIT_FROM, Happening, Incident, Status
from hinomi.ledger import Ledger
from hinomi.store import Events, Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.calling import Calling
from responders.connectors.catalogue import Targets
from responders.connectors.protocol import Done
from responders.desk import AckLinks, Desk
from responders.duties.clocks import Clocks
from responders.incidents import Incidents, casefile, reported
from responders.incidents.evidence import Vault
from responders.incidents.growing import BEHIND
from responders.incidents.keeping import Keeping
from responders.incidents.merging import tell_survivors
from responders.incidents.shared import Shared
from responders.incidents.shelf import Shelf
from responders.incidents.splitting import KIND as SPLIT
from responders.incidents.splitting import done, refused, split
from responders.notify.outbox import Outbox
from responders.notify.pulse import Pulse
from responders.oncall import Rota
from responders.oncall.standins import Standins
from responders.playbooks.apart import not_done
from responders.playbooks.asked import Asked, of_report
from responders.playbooks.following import beside, place, runs_of
from responders.playbooks.news import PARTED, START_ANEW, TAKEN_UP, News
from responders.playbooks.planning import plan, rehearsed
from responders.playbooks.playbook import catalogue
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import TOWER, Run, RunState, RunStep
from responders.playbooks.runs import Runs
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.world import World
from responders.roles import may_approve
from responders.settings import ResponderSettings
from responders.telling import Telling

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Responder:
    """Everything that happens after an alert, on one clock."""

    records: Records
    clock: Clock
    settings: ResponderSettings
    audit: Audit
    incidents: Incidents
    rota: Rota
    outbox: Outbox
    runs: Runs
    key: bytes
    ledger: Ledger
    problems: list[HinomiError] = field(default_factory=list)  # playbooks that could not be read
    calling: Calling = field(init=False)
    pulse: Pulse = field(init=False)
    _caught_up: datetime | None = None
    _untold: list[News] = field(
        default_factory=list
    )  # of runs; a store that was away is told in the next round

    def __post_init__(self) -> None:
        self.calling = Calling(
            self.records,
            self.clock,
            self.settings,
            self.audit,
            self.rota,
            self.outbox,
            self.key,
            self._first_step,
        )
        self.pulse = Pulse(self.records, self.clock, self.settings.notify, self.outbox, self.audit)

    @classmethod
    def of(
        cls,
        records: Records,
        clock: Clock,
        settings: ResponderSettings,
        key: bytes,
        *,
        events: Events | None = None,
        evidence: Shelf | None = None,
    ) -> Self:
        """A responder from its configuration. key: signs acknowledgement links; events: what evidence is taken from;
        evidence: the shelf on which it is kept (without one, evidence is a person's work)."""
        audit, ledger = Audit(records, clock), Ledger()
        rota = Rota(settings.oncall, Standins(records))
        outbox = Outbox(records, clock, settings.notify, settings.oncall.people, audit)
        world = _world(records, clock, audit, settings, events, evidence)
        problems: list[HinomiError] = []
        return cls(
            records=records,
            clock=clock,
            settings=settings,
            audit=audit,
            incidents=Incidents(records, clock, settings.incidents, audit, ledger),
            rota=rota,
            outbox=outbox,
            runs=Runs(
                records,
                clock,
                audit,
                settings.playbooks,
                catalogue(*settings.playbooks.folders, problems=problems),
                replace(world, tell=Telling(records, settings.notify, rota, outbox)),
            ),
            key=key,
            ledger=ledger,
            problems=problems,
        )

    def start(self) -> None:
        """After a start: settle what a crash left open, and what a release before wrote otherwise."""
        self.calling.restart()
        parts = (
            self.incidents.restart,
            self.outbox.recover,
            Shared(self.records).build,
            partial(tell_survivors, self.records),
            self._not_heard,
        )
        with Faults() as faults:
            for part in parts:
                with faults.kept():
                    part()

    def receive(self, alerts: Iterable[Alert]) -> list[Incident]:
        """Take alerts in; propose playbooks for the incidents that changed, and call people.

        Where the store fails in the middle what was taken in is followed up all the same; the rest is given again. What
        one alert or incident holds may be broken: the others are followed up, then it is raised.
        """
        followed: dict[str, Incident] = {}
        changed: dict[str, Incident] = {}
        with Faults() as faults:
            try:
                with faults.kept():
                    for incident, news in self.incidents.each(alerts):
                        followed[incident.id] = incident
                        if news:
                            changed[incident.id] = incident
            finally:
                self.calling.changed(followed)
            for incident in followed.values():
                if not incident.fields.get(BEHIND):  # else it is a huge one: see `_catch_up`
                    with faults.kept():
                        self._propose(incident)
        return list(changed.values())

    def tick(self) -> None:
        """Act on decisions, plan the messages that are due, send them.

        What one run or incident holds may be broken: people are called for the others all the same, then it is raised.
        A store that does not answer ends the round at once.
        """
        with Faults() as faults:
            for stage in self._stages():
                with faults.kept():
                    stage()

    def _stages(self) -> Iterator[Callable[[], object]]:
        yield self._split
        yield self._reported
        yield self._started
        due = self._due()
        yield from due  # before acts: each takes as long as its target does
        if due:
            yield self.outbox.deliver
        yield self._run
        yield from self._due()
        yield from (self._catch_up, self.calling.each_minute, self.outbox.deliver, self.pulse.beat)

    def _due(self) -> list[Callable[[], object]]:
        """Calls for what is due now; they go out with the next delivery."""
        return [partial(self._call, record) for record in self.calling.due()]

    def _catch_up(self) -> None:
        """Each minute, huge incidents that have grown since."""
        now = self.clock.now()
        if self._caught_up is not None and now - self._caught_up < _MINUTE:
            return
        self._caught_up = now
        with Faults() as faults:
            for identity in [*self.incidents.behind]:
                with faults.kept():
                    self._propose(self.incidents.caught_up(identity, planned=False))
                    self.incidents.planned(identity)

    def _split(self) -> None:
        """Incidents that people asked to part."""
        with Faults() as faults:
            for asked in self.records.find(SPLIT, {"state": "asked"}, order="at", limit=100):
                with faults.kept():
                    self._part(asked)

    def _part(self, asked: Record) -> None:
        try:
            home, other = split(self.incidents, asked)
        except InputError as error:
            refused(self.incidents, asked, error)
            return
        self.calling.changed([home.id, other.id])
        self._propose(home, parted=True)
        self._propose(other)
        for run in self._runs_of(home):
            own = run.incident_id == home.id and run.requested_by == TOWER
            if own and run.playbook not in home.playbooks:
                self._withdraw(run)
        done(self.records, asked, other)

    def _runs_of(self, incident: Incident) -> Iterator[Run]:
        """The incident's runs, with those of incidents that it took in."""
        held = (self.records.get(RUN, identity) for identity in incident.run_ids)
        return (one.read_as(Run) for one in held if one is not None)

    def _withdraw(self, run: Run) -> None:
        if (gone := self.runs.withdraw(run)) is not None:
            self._tell(gone, PARTED)

    def _reported(self) -> None:
        """Incidents that people open."""
        with Faults() as faults:
            for one in self.records.find(reported.KIND, {"state": "asked"}, order="at", limit=100):
                with faults.kept():
                    self._open(one)

    def _open(self, one: Record) -> None:
        if not reported.genuine(self.incidents, one):
            reported.settle(self.incidents, one, "void")
            return
        incident = reported.take_in(self.incidents, one)
        if one.body["playbook"]:
            of_report(self.records, incident, one)
        self.calling.changed([incident.id])
        reported.settle(self.incidents, one, "open", number=incident.number)

    def _started(self) -> None:
        """Playbooks that people asked to start."""
        starts = Asked(self.runs, self.settings.incidents.common_addresses)
        with Faults() as faults:
            for one in starts.waiting():
                with faults.kept():
                    self._start(starts, one)

    def _start(self, starts: Asked, one: Record) -> None:
        incident, by = str(one.body["incident_id"]), str(one.body["by"])
        if (why := starts.why_void(one)) is not None:
            name = str(one.body["playbook"])
            self._note(incident, f"手順書「{name}」: {why.ja}", f"playbook “{name}”: {why.en}", "", by)
            starts.settle(one, "void", why=why.en)
            return
        run = starts.propose(one)
        ja, en = (
            f"{by} が求めた計画を用意しました: {run.title_ja}",
            f"Plan ready, asked for by {by}: {run.title_en}",
        )
        if (
            run.id not in casefile.read(self.records, incident).run_ids
        ):  # else a crash came before it was settled
            self._note(incident, ja, en, run.id, by)
        starts.settle(one, "proposed", run=run.id)

    def _run(self) -> None:
        with Faults() as faults:
            try:
                with faults.kept():
                    self.runs.tick()
            finally:
                self._untold += self.runs.news
            while self._untold:
                with faults.kept():
                    self._tell(*self._untold[0])
                    not_done(self.records, self._untold[0][0])
                del self._untold[0]

    def _not_heard(self) -> None:
        """After a start: runs that ended when the process before this one did, of which those that were split off had not heard."""
        asked = self.records.find(SPLIT, {"state": "done"}, limit=100_000)
        homes = (
            casefile.surviving(self.records, one)
            for one in sorted({str(one.body["incident_id"]) for one in asked})
        )
        for home in {one.id: one for one in homes if one is not None}.values():
            for run in self._runs_of(home.read_as(Incident)):
                not_done(self.records, run)

    def _call(self, record: Record) -> None:
        try:
            incident = record.read_as(Incident)
            self.calling.call(incident)
            if incident.fields.get("propose_again"):
                self._propose_again(incident)
        except StoreError:
            raise  # the next round comes back to it
        except Exception:
            self.calling.done(record.id)  # it is looked at again when the queue is made anew
            raise
        self.calling.done(record.id)

    def _propose_again(self, incident: Incident) -> None:
        """A person opened it again, or took its verdict back: what was called off goes on; the plans that were withdrawn with it are
        asked for anew where it is open."""
        incident = casefile.change(
            self.records, incident.id, lambda now: self.incidents.worked_out(now, grown=True)
        )  # what a person joined or opened again has all that its alerts say
        opened, wrong = OPENED_FROM in incident.fields, incident.fields.get(OPENED_FROM) in NO_THREAT
        for run_id in incident.run_ids:
            if (run := self._taken_up(run_id, undone=wrong)) is not None and opened:
                self._start_anew(run)
        if incident.status is not Status.CLOSED:
            Shared(self.records).note(incident.id, incident.fields.get("joins_on", []))
            self._propose(incident)

        def proposed(now: Incident) -> Incident:
            fields = {name: value for name, value in now.fields.items() if name != OPENED_FROM}
            return now.model_copy(update={"fields": {**fields, "propose_again": False}})

        casefile.change(self.records, incident.id, proposed)

    def _taken_up(self, run_id: str, *, undone: bool) -> Run | None:
        """The run as it was before; none where retention has dropped it."""
        held = self.records.get(RUN, run_id)
        if held is None:
            return None
        run = held.read_as(Run)
        taken = self.runs.take_up(run_id, undone=undone)
        if taken is not None and taken.state is RunState.RUNNING:
            self._tell(taken, TAKEN_UP)
        return run

    def _start_anew(self, run: Run) -> None:
        """Once a run: whose acts ended with the incident, and were a person's wish."""
        called_off = run.state is RunState.WITHDRAWN or any(one.called_off for one in run.acts)
        if run.requested_by == TOWER or not called_off:
            return
        lines = casefile.read(self.records, run.incident_id).timeline
        if not any(line.ref == run.id and line.en.endswith(START_ANEW.en) for line in lines):
            self._tell(run, START_ANEW)

    def _propose(self, incident: Incident, *, parted: bool = False) -> None:
        """parted: a plan that waits and is for nobody who is left is withdrawn."""
        if incident.status is Status.CLOSED:
            return  # it takes news of its own alerts, but nobody is to decide on it
        alerts = [held.read_as(Alert) for i in incident.alert_ids if (held := self.records.get("alert", i))]
        own = self.settings.incidents.common_addresses
        for name in incident.playbooks:
            playbook = self.runs.playbooks.get(name)
            if playbook is None:
                continue
            runs = list(runs_of(self.records, incident.id, name))
            started = beside(self.records, incident, name)
            dry = rehearsed(playbook, self.settings.playbooks)
            where = place(self.records, runs, dry_run=dry, beside=started)
            proposed = plan(incident, alerts, playbook, self.settings.playbooks, self.clock.now(), own, where)
            first = where.number == 0 and (not playbook.acts or SPLIT_FROM in incident.fields)
            if where.has_news(proposed) or first:
                runs = [*runs[: where.number], self.runs.propose(proposed), *runs[where.number + 1 :]]
            elif parted and where.number < len(runs):
                self._withdraw(runs[where.number])
            for run in runs:
                if run.id not in incident.run_ids:
                    self._note(
                        incident.id,
                        f"計画を用意しました: {run.title_ja}",
                        f"Plan ready: {run.title_en}",
                        run.id,
                    )

    def _tell(self, run: Run, words: Words) -> None:
        dry = ("(予行)", " (dry run)") if run.dry_run else ("", "")
        ja, en = f"{run.title_ja}{dry[0]}: {words.ja}", f"{run.title_en}{dry[1]}: {words.en}"
        self._note(run.incident_id, ja, en, run.id, run.decided_by)

    def _note(self, incident_id: str, ja: str, en: str, run_id: str, actor: str = "hinomi") -> None:
        line = Happening(
            time=self.clock.now(), kind="playbook", actor=actor or "hinomi", ja=ja, en=en, ref=run_id
        )

        def noted(incident: Incident) -> Incident:
            runs = list(dict.fromkeys(filter(None, [*incident.run_ids, run_id])))
            return casefile.with_line(incident, line).model_copy(update={"run_ids": runs})

        if self.records.get(casefile.KIND, incident_id) is not None:  # retention may have dropped it
            casefile.change(self.records, incident_id, noted)

    def _first_step(self, incident: Incident, person: str) -> Words:
        """The one right next step of whoever is called: to take it, then the plan to decide on (or to have decided, by those who
        may not), else what the gravest rule says."""
        for run_id in incident.run_ids:
            held = self.records.get("playbook_run", run_id)
            if held is None or held.body["state"] != "proposed":
                continue
            take = Words(
                f"「対応を始める」を押し、計画「{held.body['title_ja']}」を確かめて、",
                f"Acknowledge, look at the plan “{held.body['title_en']}” and ",
            )
            contact = self.settings.oncall.people.get(person)
            if contact is not None and may_approve([contact.office], held.body["approver"]):
                return Words(
                    f"{take.ja}承認するか却下するかを決めてください。",
                    f"{take.en}decide: approve it or turn it down.",
                )
            return Words(f"{take.ja}決める人に判断を求めてください。", f"{take.en}ask whoever decides on it.")
        alerts = [r.read_as(Alert) for i in incident.alert_ids if (r := self.records.get("alert", i))]
        gravest = max(
            alerts, key=lambda alert: alert.level.rank, default=None
        )  # retention may have dropped all
        then = Words(
            (gravest and gravest.what_to_do_ja) or "画面で証拠を確かめてください。",
            (gravest and gravest.what_to_do_en) or "Look at the evidence in the console.",
        )
        return Words(f"「対応を始める」を押してください。次に、{then.ja}", f"Acknowledge. Then: {then.en}")


def link_key(path: Path) -> bytes:
    """The key of acknowledgement links: made once, kept beside the records, readable by us alone."""
    try:
        return bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        temporary.touch(mode=0o600)
        temporary.write_text(key.hex())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:  # another process was first
            return bytes.fromhex(path.read_text().strip())
        finally:
            temporary.unlink()
        return key


def desk(
    records: Records,
    clock: Clock,
    key: bytes,
    evidence: Shelf | None = None,
    *,
    organization: str = "",
    organizations: Mapping[str, str] | None = None,
    playbooks: PlaybookSettings | None = None,
) -> Desk:
    """The desk for a console or command line over the same records. evidence: the shelf of the vault; organization: the
    city's name, for drafts of reports; organizations: names of those whom it watches; playbooks: what automation may do."""
    audit, own = Audit(records, clock), playbooks or PlaybookSettings()
    return Desk(records, clock, audit, AckLinks(key), evidence, organization, organizations or {}, own)


def _world(
    records: Records,
    clock: Clock,
    audit: Audit,
    settings: ResponderSettings,
    events: Events | None,
    evidence: Shelf | None,
) -> World:
    """What playbooks reach beyond the records."""
    own = World(Targets(settings.connectors), clock=_Proposing(Clocks(records, clock, audit)))
    if evidence is None:
        return own
    return replace(own, evidence=Keeping(records, events, Vault(records, clock, audit, evidence), clock).keep)


@dataclass(frozen=True, slots=True)
class _Proposing:
    """A playbook brings a report up for decision; a person decides."""

    clocks: Clocks

    def __call__(self, run: Run, step: RunStep) -> Done:
        self.clocks.propose(run.incident_id, step.detail, by="hinomi")
        return Done(
            "報告の要否の判断を求めました(期限はまだ数えていません)。",
            "people were asked whether the report is due; no clock runs yet",
        )
