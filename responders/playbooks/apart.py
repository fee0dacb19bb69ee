"""What a run has left undone was also for those that were split off from its incident since: theirs are planned anew."""

from collections.abc import Container
from functools import partial

from hinomi.identity import digest
from hinomi.incident import SPLIT_FROM, Incident, Status
from hinomi.store import Records
from responders.incidents import casefile
from responders.playbooks.following import given_up
from responders.playbooks.run import Run, RunState, RunStep, StepState

_GOES_ON = (RunState.PROPOSED, RunState.RUNNING, RunState.UNDOING)


def not_done(records: Records, run: Run) -> None:
    """Has the incidents that were split off, also from the one that took the run's in, planned anew where the run is over and did not
    do all, or it was put back. An incident that has heard of this end before is left as it is."""
    if run.state in _GOES_ON or all(_stands(records, run, one) for one in run.acts):
        return
    home = casefile.surviving(records, run.incident_id)
    family = casefile.family_of(records, home.id if home else run.incident_id)
    for other in casefile.parted_from(records, family):
        if records.get(casefile.KIND, other) is not None:
            casefile.change(records, other, partial(planned_anew, ended=run, family=family))


def _stands(records: Records, run: Run, step: RunStep) -> bool:
    return step.state in (StepState.DONE, StepState.UNDONE) and not given_up(records, run, step)


def planned_anew(now: Incident, *, ended: Run, family: Container[str]) -> Incident:
    """The incident as one that is planned anew, where it is open, was split off from one of the family (the run's incident and those
    that it was joined with), and has not heard of this end. The journal tells ends apart; of a full one the newest lines alone are
    kept, so its length does not."""
    heard, at = dict(now.fields.get("heard_of", {})), digest(*ended.journal)
    apart = now.status is Status.CLOSED or now.fields.get(SPLIT_FROM) not in family
    if apart or heard.get(ended.id) in (at, len(ended.journal)):  # releases before kept the length
        return now
    again = {"propose_again": True, "heard_of": {**heard, ended.id: at}}
    return now.model_copy(update={"fields": {**now.fields, **again}})
