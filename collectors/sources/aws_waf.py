"""AWS WAF web ACL traffic logs (S3, CloudWatch Logs, Firehose).

Read: AWS WAF Developer Guide, "Log fields" and "Log examples" as of awsdocs on GitHub; the beginning of "Log fields for
protection pack (web ACL) traffic" as of 2026 (`action`: allow, block, CAPTCHA and challenge end a request); Amazon
Athena's table of WAF logs, copied elsewhere (where `ja3Fingerprint`, `requestBodySize`, `scheme` and `fragment`
stand). The request is as WAF saw it: `uri` is the
path, `args` the query; redacted parts say `REDACTED`. The header fields that ECS has a place for are read
out of the list of headers, whatever their case; the rest stays in `aws.waf.httpRequest.headers`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.aws.envelopes import arn_parts
from collectors.records import (
    Flat,
    JsonRecords,
    address,
    at,
    items,
    kept,
    moment,
    pairs,
    text,
)
from collectors.source import Source

source = Source(
    name="aws.waf",
    title={"ja": "AWS WAF（ウェブ通信の許可・遮断）", "en": "AWS WAF web ACL traffic"},
    zone_hint="dmz",
    shape=JsonRecords(kind=("action",)),
    recognise=r'"webaclId"\s*:|"terminatingRuleId"\s*:.*"httpRequest"\s*:',
    leftovers="aws.waf",
    constants={
        "event.kind": "event",
        "event.category": ["network", "web"],
        "cloud.provider": "aws",
        "cloud.service.name": "waf",
        "observer.type": "waf",
    },
)

_TYPES = {"ALLOW": "allowed", "BLOCK": "denied", "CAPTCHA": "denied", "CHALLENGE": "denied"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one logged request; None for JSON that is none."""
    request = at(record, "httpRequest")
    if not isinstance(request, dict) or not {"action", "webaclId"} & record.keys():
        return None
    return kept({**_verdict(record), **_request(record, request), **_headers(request)})


def _verdict(record: dict[str, Any]) -> Flat:
    """What the ACL decided, and by which of its rules."""
    action = text(record, "action")
    region, account, acl = arn_parts(record.get("webaclId"))
    reasons = [text(match, "conditionType") for match in items(record, "terminatingRuleMatchDetails")]
    return {
        "@timestamp": moment(record.get("timestamp")),
        "event.action": action,
        "event.type": ["access", _TYPES.get(str(action), "info")],
        "event.reason": ", ".join(dict.fromkeys(reason for reason in reasons if reason)) or None,
        "rule.name": text(record, "terminatingRuleId"),
        "rule.category": text(record, "terminatingRuleType"),
        "rule.ruleset": acl,
        "cloud.region": region,
        "cloud.account.id": account,
        "observer.name": text(record, "httpSourceId"),
        "http.response.status_code": text(record, "responseCodeSent"),
        "tls.client.ja3": text(record, "ja3Fingerprint"),
    }


def _request(record: dict[str, Any], request: dict[str, Any]) -> Flat:
    ip, _ = address(request.get("clientIp"))
    country = text(request, "country")
    path = text(request, "uri")
    return {
        "source.ip": ip,
        "client.ip": ip,
        "source.geo.country_iso_code": country if country and len(country) == 2 else None,
        "url.original": path,
        "url.path": path,
        "url.query": text(request, "args"),
        "url.scheme": text(request, "scheme"),
        "url.fragment": text(request, "fragment"),
        "http.request.method": text(request, "httpMethod"),
        "http.request.id": text(request, "requestId"),
        "http.request.body.bytes": text(record, "requestBodySize"),
        "http.version": (text(request, "httpVersion") or "").removeprefix("HTTP/"),
    }


def _headers(request: dict[str, Any]) -> Flat:
    given = {name.lower(): value for name, value in pairs(request.get("headers"), "name", "value").items()}
    host = text(given, "host") or text(request, "host")
    name = host.rsplit(":", 1)[0] if host and host.rpartition(":")[2].isdigit() and "." in host else host
    found = {
        "destination.domain": name,
        "url.domain": name,
        "user_agent.original": text(given, "user-agent"),
        "http.request.referrer": text(given, "referer"),
        "http.request.mime_type": text(given, "content-type"),
        "http.request.body.bytes": text(given, "content-length"),
    }
    return {field: value for field, value in found.items() if value is not None}
