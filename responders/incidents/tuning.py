"""From a verdict to a quieter rule: a Sigma filter with a reason, an owner and an end, reviewed by another person.

Once approved it holds at once as a suppression (counted, never silent) until its end, for whose the incident was and nobody
else: two towns have a `t.yamada`. Its Sigma text can be put into a
rules folder where it is to hold for good.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import yaml

from hinomi.alert import Alert
from hinomi.clock import JST, Clock
from hinomi.errors import InputError
from hinomi.identity import digest
from hinomi.incident import NO_THREAT, Incident
from hinomi.organization import FIELD
from hinomi.store import Record, Records
from responders.incidents import reported, suppression
from responders.incidents.suppression import Suppression

KIND = "tuning"
LONGEST = timedelta(days=180)
_SPACE = uuid.UUID("2c1c1f0e-8a6b-5e0c-9c56-5b1f3a0c7d42")
_NARROWING = ("user.name", "host.name", "source.ip", "client.ip", "process.name", "file.name", "url.domain")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a reviewer sees: which rule would be silent for whom, until when, and how many past alerts that covers."""

    rule_id: str
    title: str
    where: dict[str, str]
    covers: int
    of: int


def suggested(incident: Incident, alerts: list[Alert], rule_id: str) -> dict[str, str]:
    """The narrowest description that fits all of the incident's alerts of the rule: fields in which each has the one value. Raises
    InputError for none."""
    own = [alert for alert in alerts if alert.rule_id == rule_id and rule_id != reported.RULE]
    if not own:
        raise InputError("このルールの警報はありません。", "the incident has no alert of this rule")
    where = {}
    for field in _NARROWING:
        values = {tuple(dict.fromkeys(alert.entities.get(field, []))) for alert in own}
        if len(values) == 1 and len(only := values.pop()) == 1:
            where[field] = only[0]
    if not where:
        raise InputError(
            "警報に共通の対象がないため、狭い除外を作れません。",
            "the alerts share no entity: a filter would be too wide",
        )
    return where


def sigma(
    rule_id: str, title: str, where: Mapping[str, str], *, owner: str, reason: str, until: datetime
) -> str:
    """The Sigma filter (specification 2.1, filters) as YAML."""
    document: dict[str, Any] = {
        "title": f"Exclusion: {title}",
        "id": str(uuid.uuid5(_SPACE, f"{rule_id}|{sorted(where.items())}")),
        "description": reason,
        "logsource": {"product": "any"},
        "filter": {
            "rules": [rule_id],
            "selection": dict(where),
            "condition": "not selection",
        },
        "hinomi": {"owner": owner, "expires": until.astimezone(JST).date().isoformat(), "reason": reason},
    }
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    return text


@dataclass(frozen=True, slots=True)
class Tuning:
    """Proposals and their review. Whoever calls has checked who may and written the audit log."""

    records: Records
    clock: Clock

    def propose(
        self,
        incident: Incident,
        rule_id: str,
        where: Mapping[str, str],
        *,
        by: str,
        reason: str,
        until: datetime,
    ) -> Record:
        """Put a proposal. Raises InputError for an incident that was real, nothing to narrow by, or too long."""
        if incident.verdict not in NO_THREAT:
            raise InputError(
                "誤検知または正当な操作として終了した件からだけ、除外を作れます。",
                "a filter comes only of what was closed as false positive or benign",
            )
        now = self.clock.now()
        if not now < until <= now + LONGEST:
            raise InputError(
                f"期限は今から {LONGEST.days} 日以内にしてください。",
                f"the end must lie within {LONGEST.days} days",
            )
        if not where:
            raise InputError("除外する対象を選んでください。", "a filter needs at least one field")
        alerts = self._alerts(incident)
        title = next((one.title_en for one in alerts if one.rule_id == rule_id), "")
        if not title:
            raise InputError("このルールの警報はありません。", "the incident has no alert of this rule")
        whose = {FIELD: incident.organization} if incident.organization else {}
        body = {
            "incident_id": incident.id,
            "number": incident.number,
            "rule_id": rule_id,
            "title": title,
            "where": dict(where),
            "organization": incident.organization,
            "reason": reason,
            "owner": by,
            "until": until.isoformat(),
            "proposed_at": now.isoformat(),
            "state": "proposed",
            "sigma": sigma(rule_id, title, {**where, **whose}, owner=by, reason=reason, until=until),
        }
        return self.records.put(KIND, digest("tuning", incident.id, rule_id, now.isoformat()), body, expect=0)

    def preview(self, proposal: Record) -> Proposal:
        """How many of the rule's alerts of the last months it would have kept silent: what a reviewer must know."""
        body = proposal.body
        past = [
            one.read_as(Alert)
            for one in self.records.find("alert", {"rule_id": body["rule_id"]}, limit=5_000)
        ]
        rule = _suppression(proposal)
        covers = sum(rule.covers(alert, self.clock.now()) for alert in past)
        return Proposal(body["rule_id"], body["title"], body["where"], covers, len(past))

    def settle(self, proposal: Record, state: str, *, by: str, note: str) -> Record:
        """Approve or refuse; approved, it holds from now on."""
        if proposal.body["state"] != "proposed":
            raise InputError("この提案は既に決まっています。", "this proposal has been decided")
        body = {**proposal.body, "state": state, "by": by, "note": note, "at": self.clock.now().isoformat()}
        settled = self.records.put(KIND, proposal.id, body, expect=proposal.version)
        if state == "approved":
            self.records.put(suppression.KIND, proposal.id, _suppression(settled).model_dump(mode="json"))
        return settled

    def end(self, proposal: Record, *, by: str) -> None:
        """Take an approved one back before its end."""
        if self.records.get(suppression.KIND, proposal.id) is not None:
            self.records.delete(suppression.KIND, proposal.id)
        body = {**proposal.body, "state": "ended", "ended_by": by}
        self.records.put(KIND, proposal.id, body, expect=proposal.version)

    def _alerts(self, incident: Incident) -> list[Alert]:
        held = (self.records.get("alert", identity) for identity in incident.alert_ids)
        return [one.read_as(Alert) for one in held if one]


def _suppression(proposal: Record) -> Suppression:
    body = proposal.body
    return Suppression(
        id=proposal.id,
        rule_id=body["rule_id"],
        where=body["where"],
        reason=body["reason"],
        owner=body["owner"],
        until=datetime.fromisoformat(body["until"]),
        organization=body.get("organization"),
    )
