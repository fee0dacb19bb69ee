"""What people asked to start, taken up: planned for exactly the targets that they named, proposed in their name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from hinomi.alert import Alert
from hinomi.errors import Conflict
from hinomi.identity import digest
from hinomi.incident import Incident, Status
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.incidents import casefile
from responders.playbooks.planning import plan
from responders.playbooks.run import Run, RunState, RunStep
from responders.playbooks.runs import Runs

KIND = "playbook_start"
"""Records: the incident, the playbook, its targets, who asked when, and the audit entry that was written before. state:
`asked`, then `proposed` or, with the reason, `void`."""


def start_id(incident_id: str, playbook: str, named: Mapping[str, Sequence[str]]) -> str:
    """The id of the request for these targets."""
    return digest("start", incident_id, playbook, orjson.dumps(named, option=orjson.OPT_SORT_KEYS).decode())


def of_report(records: Records, incident: Incident, report: Record) -> None:
    """A report names a playbook: it is asked for in the name of whoever reported it. A second time changes nothing."""
    said = report.body
    identity = start_id(incident.id, str(said["playbook"]), said["targets"])
    body = {
        "incident_id": incident.id,
        "times": 1,
        "state": "asked",
        **{name: said[name] for name in ("playbook", "targets", "by", "at", "entry")},
    }
    with suppress(Conflict):
        records.put(KIND, identity, body, expect=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """The respond process's half. inside: addresses that are never blocked."""

    runs: Runs
    inside: Sequence[str] = ()

    def waiting(self) -> list[Record]:
        """What is to be taken up, oldest first."""
        return self.runs.records.find(KIND, {"state": "asked"}, order="at", limit=100)

    def why_void(self, asked: Record) -> Words | None:
        """Why nothing comes of it; None where it is to be proposed."""
        if self.runs.records.get(casefile.KIND, str(asked.body["incident_id"])) is None:
            return Words("インシデントが残っていないため、始めません。", "not started: the incident is gone")
        if not self._genuine(asked):
            return Words("監査記録がないため、始めません。", "not started: the audit log does not know of it")
        if asked.body["playbook"] not in self.runs.playbooks:
            return Words("この手順書が読めないため、始めません。", "not started: the playbook cannot be read")
        if casefile.read(self.runs.records, str(asked.body["incident_id"])).status is Status.CLOSED:
            return Words("終了したため、始めません。", "not started: the incident is over")
        return None

    def propose(self, asked: Record) -> Run:
        """The plan, put before whoever decides. Done again after a crash it changes nothing."""
        runs, body = self.runs, asked.body
        incident = casefile.read(runs.records, str(body["incident_id"]))
        alerts = list(_alerts(runs, incident))
        playbook = runs.playbooks[str(body["playbook"])]
        now = runs.clock.now()
        planned = plan(incident, alerts, playbook, runs.settings, now, self.inside, named=body["targets"])
        own = {
            "id": digest("run", asked.id, str(body["times"])),
            "requested_by": str(body["by"]),
        }
        run = runs.propose(planned.model_copy(update=own))
        if (
            run.state is RunState.PROPOSED and run.dry_run
        ):  # of one that acts, whoever decides is called (`deciding`)
            runs.world.tell(run, _wanted(run))
        return run

    def settle(self, asked: Record, state: str, *, run: str = "", why: str = "") -> None:
        """It was taken up."""
        body = {**asked.body, "state": state, "run_id": run, "why": why}
        self.runs.records.put(KIND, asked.id, body, expect=asked.version)

    def _genuine(self, asked: Record) -> bool:
        body = asked.body
        return self.runs.audit.says(
            str(body.get("entry", "")),
            actor=str(body["by"]),
            actions=["playbook.start", "incident.open"],
            target=str(body["incident_id"]),
            details={name: body[name] for name in ("playbook", "targets")},
        )


def _alerts(runs: Runs, incident: Incident) -> Iterator[Alert]:
    held = (runs.records.get("alert", one) for one in incident.alert_ids)
    return (one.read_as(Alert) for one in held if one is not None)


def _wanted(run: Run) -> RunStep:
    """Whoever decides is told, as no alert calls them: a message about no step of the plan."""
    return RunStep(
        index=-1,
        kind="tell",
        detail=run.approver,
        title_ja=run.impact_ja,
        title_en=run.impact_en,
        result_ja=f"({run.requested_by} が求めました)",
        result_en=f"asked for by {run.requested_by}",
        renewed=1,
    )
