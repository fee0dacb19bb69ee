"""Suppression: a reason, an owner and an end. What is suppressed is stored and counted, never silent."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hinomi.alert import Alert
from hinomi.store import Records

KIND = "suppression"


class Suppression(BaseModel):
    """Alerts of a rule (and, where given, of these entity values) do not call anybody until `until`."""

    model_config = ConfigDict(frozen=True)

    id: str
    rule_id: str
    where: dict[str, str] = Field(default_factory=dict)
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    until: datetime

    def covers(self, alert: Alert, now: datetime) -> bool:
        """Whether it holds now and for this alert."""
        return (
            now < self.until
            and self.rule_id == alert.rule_id
            and all(value in alert.entities.get(field, []) for field, value in self.where.items())
        )


def covering(records: Records, alert: Alert, now: datetime) -> Suppression | None:
    """The first suppression that covers the alert."""
    for record in records.find(KIND, {"rule_id": alert.rule_id}):
        suppression = Suppression.model_validate(record.body)
        if suppression.covers(alert, now):
            return suppression
    return None
