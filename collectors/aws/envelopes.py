"""What AWS wraps around a record on its way: EventBridge's `detail`, CloudTrail's `Records`, ARNs.

Facts: AWS, "Amazon EventBridge event structure", "CloudTrail log file examples", "Amazon Resource Names".
"""

from typing import Any

from collectors.records import text


def opened(record: dict[str, Any]) -> dict[str, Any]:
    """The record itself out of an EventBridge event or a file with one record."""
    records = record.get("Records")
    if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict):
        return records[0]
    detail = record.get("detail")
    return detail if "detail-type" in record and isinstance(detail, dict) else record


def arn_parts(arn: Any) -> tuple[str | None, str | None, str | None]:
    """(region, account, resource) of `arn:partition:service:region:account:resource`.

    A global resource's ARN may leave out the account: `arn:aws:wafv2:us-east-1:global/webacl/…`.
    """
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        return None, None, None
    parts = arn.split(":", 5)
    region = parts[3] if len(parts) > 3 else ""
    account = parts[4] if len(parts) > 4 and parts[4].isdigit() else ""
    return region or None, account or None, parts[-1] or None


def tags(values: Any) -> list[str]:
    """`[{"key": "x", "value": "y"}]` as `x=y`."""
    found = values if isinstance(values, list) else []
    return [f"{text(one, 'key')}={text(one, 'value') or ''}" for one in found if text(one, "key")]
