"""A playbook that a person starts on an incident: asked for here, planned and proposed by the respond process, decided on by
somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError
from hinomi.incident import Incident, Status
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.incidents import casefile
from responders.incidents.entities import machine
from responders.playbooks.asked import KIND, start_id
from responders.playbooks.named import Named, asked_for, books, checked, inputs, offered
from responders.playbooks.planning import spelled
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run, RunState
from responders.playbooks.settings import PlaybookSettings
from responders.roles import held_roles, kept_as, may_work

_GOES_ON = (RunState.PROPOSED, RunState.RUNNING, RunState.UNDOING)
_ALREADY = (
    "この手順書は、同じ対象で始まっています。インシデントの画面で計画を確かめてください。",
    "this playbook has begun for these targets; look at the plan on the incident's page",
)


@dataclass(frozen=True, slots=True)
class Starting:
    """Records what people ask for. Whoever asks is `requested_by` of the run, and so cannot approve it."""

    records: Records
    clock: Clock
    audit: Audit
    settings: PlaybookSettings

    def start(
        self,
        incident_id: str,
        name: str,
        targets: Named | None = None,
        *,
        actor: str,
        roles: Sequence[str],
    ) -> Record:
        """Ask for a plan of the playbook, for these targets by ECS field; left out: what the incident itself names, where
        that is few. The respond process proposes it at its next round.

        Raises Refused for whoever does not work on incidents or has no account, InputError for a closed incident, a playbook
        or target that there is not, and where it has begun for the same targets.
        """
        self.allowed(actor, roles, incident_id)
        playbook = self.known(name)
        incident = casefile.read(self.records, incident_id)
        if incident.status is Status.CLOSED:
            raise InputError(
                "終了したインシデントです。先に再開してください。",
                "the incident is closed; open it again first",
            )
        named = self.named(targets) if targets is not None else offered(incident, self.fields)
        if any(self._covers(run, playbook, named) for run in self._going(incident, name)):
            raise InputError(*_ALREADY)
        return self._ask(incident, name, named, kept_as(actor))

    @property
    def fields(self) -> list[str]:
        """Fields that a person may name targets by."""
        return asked_for(self.books.values())

    @property
    def books(self) -> dict[str, Playbook]:
        """The playbooks that can be started, by name: ours and the city's own."""
        return dict(books(*self.settings.folders))

    def known(self, name: str) -> Playbook:
        """The playbook. Raises InputError where there is none of that name."""
        found = self.books.get(name)
        if found is None:
            raise InputError(f"手順書「{name[:60]}」はありません。", f'there is no playbook "{name[:60]}"')
        return found

    def named(self, given: Named) -> dict[str, list[str]]:
        """What a person named. Raises InputError."""
        return checked(given, self.fields)

    def allowed(self, actor: str, roles: Sequence[str], target: str) -> None:
        """Raises Refused for whoever does not work on incidents. It takes an account: else nobody could tell whether the same
        person approves."""
        counter = Counter(self.records, self.clock, self.audit)
        counter.worker(actor, roles, "playbook.start", target)
        if not may_work(held_roles(self.records, actor)):
            counter.refuse(
                actor,
                "playbook.start",
                target,
                "account",
                "手順書を始めるには、インシデントに対応するアカウントが要ります。",
                "starting a playbook takes an account that works on incidents",
            )

    def _ask(self, incident: Incident, name: str, named: dict[str, list[str]], by: str) -> Record:
        identity = start_id(incident.id, name, named)
        held = self.records.get(KIND, identity)
        if held is not None and held.body["state"] == "asked":
            raise InputError(*_ALREADY)
        times = int(held.body["times"]) + 1 if held else 1
        details = {"playbook": name, "targets": named, "times": times}
        entry = self.audit.append(actor=by, action="playbook.start", target=incident.id, details=details)
        body = {
            "incident_id": incident.id,
            **details,
            "by": by,
            "at": self.clock.now().isoformat(),
            "entry": entry,
            "state": "asked",
        }
        try:
            return self.records.put(KIND, identity, body, expect=held.version if held else 0)
        except Conflict:
            raise InputError(*_ALREADY) from None

    def _going(self, incident: Incident, name: str) -> list[Run]:
        held = (self.records.get(RUN, one) for one in incident.run_ids)
        runs = [one.read_as(Run) for one in held if one is not None]
        return [run for run in runs if run.playbook == name and run.state in _GOES_ON]

    @staticmethod
    def _covers(run: Run, playbook: Playbook, named: Named) -> bool:
        """Whether the plan does to each of these all that the playbook would."""
        done_to = {value for step in run.acts for value in step.values.values()}
        wanted = {spelled(name, value) for name in inputs(playbook) for value in named.get(name, [])}
        return all(value in done_to or machine(value) in done_to for value in wanted)
