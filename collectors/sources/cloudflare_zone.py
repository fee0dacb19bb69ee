"""Cloudflare in front of a city's own web sites and domains, by Logpush: HTTP requests, firewall events, DNS logs.

Facts: Cloudflare, Logs "Datasets": http_requests, firewall_events, dns_logs. Which fields a record has is chosen by the
one who sets up the job; times may be text or a count since 1970. DNS writes question types and answers as numbers
(IANA, "Domain Name System (DNS) Parameters").
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import Flat, JsonRecords, first_address, kept, moment, text
from collectors.source import Source

source = Source(
    name="cloudflare.zone",
    title={"ja": "Cloudflare(ウェブサイトと DNS)", "en": "Cloudflare (web sites and DNS)"},
    zone_hint="dmz",
    shape=JsonRecords(kind=("QueryName", "Kind")),
    recognise=r'"(?:ClientRequest(?:Host|Path|URI|Method)|EdgeStartTimestamp|ZoneName|EDNSSubnet)"\s*:',
    leftovers="cloudflare.zone",
    constants={"event.kind": "event", "observer.vendor": "Cloudflare"},
)
_SIGNS = {
    "ClientRequestHost",
    "ClientRequestPath",
    "ClientRequestURI",
    "EdgeStartTimestamp",
    "ZoneName",
    "QueryType",
}
_TYPES = {"1": "A", "2": "NS", "5": "CNAME", "6": "SOA", "12": "PTR", "15": "MX", "16": "TXT", "28": "AAAA",
          "33": "SRV", "35": "NAPTR", "43": "DS", "48": "DNSKEY", "52": "TLSA", "64": "SVCB", "65": "HTTPS",
          "255": "ANY", "257": "CAA"}  # fmt: skip
_CODES = {"0": "NOERROR", "1": "FORMERR", "2": "SERVFAIL", "3": "NXDOMAIN", "4": "NOTIMP", "5": "REFUSED"}
_LET_THROUGH = {"", "allow", "log", "skip", "bypass", "unknown", "simulate"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one record; None for JSON that is none."""
    if not _SIGNS & record.keys():
        return None
    about = _question(record) if "QueryType" in record else {**_request(record), **_verdict(record)}
    return kept({**_common(record), **about})


def _common(record: dict[str, Any]) -> Flat:
    asked_by, _ = first_address(text(record, "ClientIP"), text(record, "SourceIP"))
    return {
        "@timestamp": moment(*map(record.get, ("EdgeStartTimestamp", "Datetime", "Timestamp"))),
        "source.ip": asked_by,
        "source.port": text(record, "ClientSrcPort"),
        "source.geo.country_iso_code": _country(text(record, "ClientCountry")),
        "source.as.number": text(record, "ClientASN"),
        "client.ip": asked_by,
    }


def _country(code: str | None) -> str | None:
    return code.upper() if code and len(code) == 2 else None


def _question(record: dict[str, Any]) -> Flat:
    """A question to the zone's name servers; types without a name keep their number."""
    number, code = text(record, "QueryType"), text(record, "ResponseCode")
    answered = _CODES.get(code or "", code)
    return {
        "event.category": ["network"],
        "event.type": ["protocol", "info"],
        "event.outcome": None if code is None else "success" if code in {"0", "3"} else "failure",
        "network.protocol": "dns",
        "dns.question.name": (text(record, "QueryName") or "").rstrip(".") or None,
        "dns.question.type": _TYPES.get(number or "", number),
        "dns.response_code": answered,
        "observer.type": "dns",
    }


def _request(record: dict[str, Any]) -> Flat:
    host = text(record, "ClientRequestHost")
    path, _, query = (text(record, "ClientRequestURI") or text(record, "ClientRequestPath") or "").partition(
        "?"
    )
    query = query or (text(record, "ClientRequestQuery") or "").removeprefix("?")
    origin, _ = first_address(text(record, "OriginIP"))
    return {
        "destination.ip": origin,
        "destination.domain": host or text(record, "ZoneName"),
        "destination.bytes": text(record, "EdgeResponseBytes"),
        "source.bytes": text(record, "ClientRequestBytes"),
        "url.domain": host,
        "url.path": path or None,
        "url.query": query or None,
        "url.original": f"{path}?{query}" if query else path or None,
        "url.scheme": text(record, "ClientRequestScheme"),
        "http.request.method": text(record, "ClientRequestMethod") or text(record, "ClientRequestMethodName"),
        "http.request.referrer": text(record, "ClientRequestReferer"),
        "http.response.status_code": text(record, "EdgeResponseStatus"),
        "http.version": (text(record, "ClientRequestProtocol") or "").removeprefix("HTTP/") or None,
        "user_agent.original": text(record, "ClientRequestUserAgent"),
        "tls.client.ja3": text(record, "JA3Hash"),
        "observer.type": "proxy",
    }


def _verdict(record: dict[str, Any]) -> Flat:
    """What Cloudflare's rules did with the request; a request without a rule is answered as it is."""
    action = (
        text(record, "Action") or text(record, "SecurityAction") or text(record, "WAFAction") or ""
    ).lower()
    status = text(record, "EdgeResponseStatus") or ""
    denied = action not in _LET_THROUGH
    return {
        "event.action": action or None,
        "event.category": ["web", "network"],
        "event.type": ["access", "denied" if denied else "allowed"],
        "event.outcome": ("failure" if denied or status >= "400" else "success")
        if len(status) == 3
        else None,
        "event.id": text(record, "RayID"),
        "rule.id": text(record, "RuleID") or text(record, "SecurityRuleID") or text(record, "WAFRuleID"),
        "rule.name": text(record, "Description")
        or text(record, "SecurityRuleDescription")
        or text(record, "WAFRuleMessage"),
    }
