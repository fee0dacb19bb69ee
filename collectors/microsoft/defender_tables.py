"""The tables of Defender XDR's advanced hunting: what an entry of each means, by its action.

Facts: Microsoft, "Understand the advanced hunting schema" and the page of each table. New tables keep the
values of `_OTHER` until they stand here.
"""

from typing import Any

from collectors.records import Flat, text

PREFIX = "AdvancedHunting-"
"""What the categories of Defender begin with, in an envelope that Entra ID comes in, too."""
# Table → event.kind, event.category, event.type.
_TABLES: dict[str, tuple[str, list[str], list[str]]] = {
    "DeviceProcessEvents": ("event", ["process"], ["start"]),
    "DeviceNetworkEvents": ("event", ["network"], ["connection"]),
    "DeviceFileEvents": ("event", ["file"], ["info"]),
    "DeviceRegistryEvents": ("event", ["registry"], ["change"]),
    "DeviceLogonEvents": ("event", ["authentication"], ["start"]),
    "DeviceImageLoadEvents": ("event", ["library"], ["start"]),
    "DeviceEvents": ("event", ["host"], ["info"]),
    "DeviceInfo": ("state", ["host"], ["info"]),
    "DeviceNetworkInfo": ("state", ["host"], ["info"]),
    "DeviceFileCertificateInfo": ("state", ["file"], ["info"]),
    "EmailEvents": ("event", ["email"], ["info"]),
    "EmailAttachmentInfo": ("event", ["email", "file"], ["info"]),
    "EmailUrlInfo": ("event", ["email", "web"], ["info"]),
    "EmailPostDeliveryEvents": ("event", ["email"], ["change"]),
    "MessageEvents": ("event", ["email"], ["info"]),
    "MessagePostDeliveryEvents": ("event", ["email"], ["change"]),
    "UrlClickEvents": ("event", ["web"], ["access"]),
    "IdentityLogonEvents": ("event", ["authentication"], ["start"]),
    "IdentityQueryEvents": ("event", ["network"], ["protocol"]),
    "IdentityDirectoryEvents": ("event", ["iam"], ["change"]),
    "IdentityInfo": ("state", ["iam"], ["info"]),
    "CloudAppEvents": ("event", ["web"], ["access"]),
    "AlertInfo": ("alert", ["threat"], ["indicator"]),
    "AlertEvidence": ("enrichment", ["threat"], ["indicator"]),
    "BehaviorInfo": ("signal", ["threat"], ["indicator"]),
    "BehaviorEntities": ("enrichment", ["threat"], ["indicator"]),
}
_OTHER: tuple[str, list[str], list[str]] = ("event", ["host"], ["info"])
# What an action's name holds → event.type; the first that is in it counts.
_CHANGES = (
    ("Created", "creation"),
    ("Deleted", "deletion"),
    ("Modified", "change"),
    ("Renamed", "change"),
    ("ValueSet", "change"),
)
_CHANGING = ("DeviceFileEvents", "DeviceRegistryEvents")
_DETECTED = (
    "AntivirusDetection",
    "AntivirusReport",
    "AntivirusMalware",
    "SmartScreen",
    "ExploitGuard",
    "Asr",
)
_OUTCOMES = (
    (("Success", "Allowed", "Delivered"), "success"),
    (("Fail", "Blocked", "Denied", "Error"), "failure"),
)


def meaning(table: str, properties: dict[str, Any]) -> Flat:
    """event.* of an entry of a table."""
    kind, category, types = _TABLES.get(table, _OTHER)
    action = text(properties, "ActionType") or text(properties, "DeliveryAction") or ""
    if table in _CHANGING:
        types = [found for word, found in _CHANGES if word in action][:1] or types
    if table == "DeviceEvents" and action.startswith(_DETECTED):
        kind, category = "alert", ["malware" if action.startswith("Antivirus") else "intrusion_detection"]
    if "Block" in action and kind == "event":
        types = [*types, "denied"]
    return {
        "event.kind": kind,
        "event.category": category,
        "event.type": types,
        "event.action": action,
        "event.outcome": _outcome(properties, action),
        "event.reason": text(properties, "FailureReason") or text(properties, "Title"),
    }


def _outcome(properties: dict[str, Any], action: str) -> str | None:
    told = text(properties, "ActionResult") or action
    return next((outcome for words, outcome in _OUTCOMES if any(word in told for word in words)), None)
