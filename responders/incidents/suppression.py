"""Suppression: a reason, an owner and an end. What is suppressed is stored and counted, never silent."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hinomi.alert import Alert, Level
from hinomi.faults import readable
from hinomi.store import Records
from responders.incidents.entities import same

KIND = "suppression"
ANY_RULE = "*"


class Suppression(BaseModel):
    """Alerts of a rule (`*`: of any) that are about these entity values alone, where given, call nobody from `since` until `until`.

    critical_too: also those of the highest level, which maintenance never silences; organization: whose alerts alone
    (empty: nobody's), None: whoever's.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    rule_id: str
    where: dict[str, str] = Field(default_factory=dict)
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    until: datetime
    since: datetime | None = None
    critical_too: bool = True
    organization: str | None = None

    def covers(self, alert: Alert, now: datetime) -> bool:
        """Whether it holds now and for this alert."""
        return (
            now < self.until
            and (self.since is None or now >= self.since)
            and self.rule_id in (ANY_RULE, alert.rule_id)
            and self.organization in (None, alert.organization)
            and (self.critical_too or alert.level is not Level.CRITICAL)
            and all(_about_it_alone(alert, field, value) for field, value in self.where.items())
        )


def _about_it_alone(alert: Alert, field: str, value: str) -> bool:
    """Whether the alert names this value of the field, in further spellings too, and no other: what it says of others is not hidden."""
    named = alert.entities.get(field, [])
    return value in named and all(same(field, one, value) for one in named)


def covering(records: Records, alert: Alert, now: datetime) -> Suppression | None:
    """The first suppression that covers the alert; one that cannot be read covers none: people are called."""
    found = records.find(KIND, {"rule_id": [ANY_RULE, alert.rule_id]})
    for suppression in readable(found, lambda held: held.read_as(Suppression)):
        if suppression.covers(alert, now):
            return suppression
    return None
