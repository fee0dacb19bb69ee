"""Alerts of Microsoft's security products as Graph gives them (`/security/alerts_v2`), with their evidence.

Facts: Microsoft Graph, "alert resource type" (`microsoft.graph.security.alert`) and the resources of its evidence:
`userEvidence`, `ipEvidence`, `deviceEvidence`, `fileEvidence`, `processEvidence`, `urlEvidence`. The first of a kind
is shown in ECS; the whole alert stays under `microsoft.defender.*`.
"""

from typing import Any

from collectors.records import Flat, first_address, items, text, time, url

_SIGNS = {"serviceSource", "detectionSource", "providerAlertId", "alertWebUrl"}
_SEVERITIES = {"informational": 21, "low": 47, "medium": 73, "high": 99}


def alert(record: dict[str, Any]) -> Flat | None:
    """ECS fields of an alert; None for another record."""
    title = text(record, "title")
    if title is None or "severity" not in record or not _SIGNS & record.keys():
        return None
    severity = (text(record, "severity") or "").lower()
    return {
        "@timestamp": time(record.get("createdDateTime")) or time(record.get("lastUpdateDateTime")),
        "event.kind": "alert",
        "event.category": ["intrusion_detection"],
        "event.type": ["info"],
        "event.action": text(record, "category"),
        "event.provider": text(record, "serviceSource"),
        "event.reason": text(record, "description"),
        "event.severity": _SEVERITIES.get(severity),
        "event.start": time(record.get("firstActivityDateTime")),
        "event.end": time(record.get("lastActivityDateTime")),
        "event.reference": text(record, "alertWebUrl"),
        "rule.name": title,
        "rule.id": text(record, "detectorId"),
        "threat.technique.id": [one for one in items(record, "mitreTechniques") if isinstance(one, str)],
        "cloud.account.id": text(record, "tenantId"),
        **_evidence(record),
    }


def _evidence(record: dict[str, Any]) -> Flat:
    found = [one for one in items(record, "evidence") if isinstance(one, dict)]
    who, where, machine = (_first(found, name) for name in ("userAccount", "ipAddress", "deviceDnsName"))
    file, process, page = (_first(found, name) for name in ("fileDetails", "processCommandLine", "url"))
    upn = text(who, "userAccount", "userPrincipalName")
    image = process if process and "imageFile" in process else None
    return {
        "user.name": text(who, "userAccount", "accountName"),
        "user.domain": text(who, "userAccount", "domainName"),
        "user.email": upn if upn and "@" in upn else None,
        "user.id": text(who, "userAccount", "azureAdUserId") or text(who, "userAccount", "userSid"),
        "source.ip": first_address(text(where, "ipAddress"))[0],
        "host.name": text(machine, "deviceDnsName"),
        "host.id": text(machine, "mdeDeviceId"),
        "file.name": text(file, "fileDetails", "fileName"),
        "file.directory": text(file, "fileDetails", "filePath"),
        "file.hash.sha256": text(file, "fileDetails", "sha256"),
        "file.hash.sha1": text(file, "fileDetails", "sha1"),
        "process.command_line": text(process, "processCommandLine"),
        "process.pid": text(process, "processId"),
        "process.name": text(image, "imageFile", "fileName"),
        **url(text(page, "url")),
    }


def _first(evidence: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((one for one in evidence if one.get(name)), None)
