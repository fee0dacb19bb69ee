"""AWS GuardDuty findings: EC2, IAM, S3, EKS, ECS, RDS, Lambda, runtime monitoring, malware protection.

Facts: AWS, "GuardDuty finding format", "GuardDuty finding details", "Exporting findings" (S3 and EventBridge
give the same document). A finding is written anew when it is seen again: its time is `updatedAt`.

The remote end of a connection that a resource opened is the destination, of one that reached it the source;
API callers, port probers and database clients are sources. `user.name` is the person or service whose key,
session or process it is. The whole finding stays under `aws.guardduty.<name>`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.aws import guardduty_actions
from collectors.aws.envelopes import opened
from collectors.records import Flat, JsonRecords, at, kept, text, time
from collectors.source import Source

source = Source(
    name="aws.guardduty",
    title={"ja": "AWS GuardDuty（脅威検出）", "en": "AWS GuardDuty findings"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("type",)),
    recognise=r'"arn"\s*:\s*"arn:[a-z\-]+:guardduty:[^"]*/finding/|"detail-type"\s*:\s*"GuardDuty Finding"',
    leftovers="aws.guardduty",
    constants={
        "event.kind": "alert",
        "event.type": ["indicator"],
        "cloud.provider": "aws",
        "cloud.service.name": "guardduty",
    },
)

_CATEGORIES = {
    "Execution": "malware",
    "Backdoor": "malware",
    "CryptoCurrency": "malware",
    "Trojan": "malware",
    "Impact": "malware",
    "Object": "malware",
    "UnauthorizedAccess": "intrusion_detection",
    "Recon": "intrusion_detection",
    "CredentialAccess": "intrusion_detection",
    "PrivilegeEscalation": "intrusion_detection",
    "Exfiltration": "intrusion_detection",
    "Policy": "configuration",
}


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one finding; None for JSON that is none."""
    finding = opened(document)
    kind = text(finding, "type")
    if kind is None or "service" not in finding or ":guardduty:" not in str(finding.get("arn")):
        return None
    found = {
        **_finding(finding, kind),
        **guardduty_actions.resource(finding),
        **guardduty_actions.action(finding),
    }
    return kept(found)


@source.keep
def vendor(document: dict[str, Any]) -> Mapping[str, Any]:
    """The finding under AWS's own names."""
    return opened(document)


def _finding(finding: dict[str, Any], kind: str) -> Flat:
    purpose = kind.partition(":")[0]
    categories = ["threat"] + ([_CATEGORIES[purpose]] if purpose in _CATEGORIES else [])
    severity = text(finding, "severity")
    return {
        "@timestamp": time(finding.get("updatedAt")) or time(finding.get("createdAt")),
        "event.action": purpose,
        "event.category": categories,
        "event.severity": severity.partition(".")[0] if severity else None,
        "event.start": time(at(finding, "service", "eventFirstSeen")),
        "event.end": time(at(finding, "service", "eventLastSeen")),
        "event.reason": text(finding, "title"),
        "message": text(finding, "description"),
        "rule.name": kind,
        "rule.category": purpose,
        "rule.uuid": text(finding, "id"),
        "cloud.account.id": text(finding, "accountId"),
        "cloud.region": text(finding, "region"),
    }
