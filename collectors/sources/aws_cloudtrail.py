"""AWS CloudTrail: API calls, console sign-ins, service events and Insights, as files, CloudWatch Logs or
EventBridge give them.

Facts: AWS, "CloudTrail record contents", "CloudTrail userIdentity element", "AWS Management Console sign-in
events". The whole record stays under `aws.cloudtrail.<name>` in AWS's own spelling (Sigma's names). Each of
some 20,000 operations has parameters of its own: request and response are also JSON text in Elastic's
`aws.cloudtrail.flattened.*`, and of their leaves the first hundred are columns.

`user.id` is the principal, not the account; the account is `cloud.account.id`. A call that AWS answered with
an `errorCode` failed.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

from collectors import carried
from collectors.aws.envelopes import opened
from collectors.cells import Cells
from collectors.leaves import leaves_of
from collectors.narrow import Text, Verbatim
from collectors.records import (
    Flat,
    JsonRecords,
    at,
    first_address,
    kept,
    text,
    time,
)
from collectors.source import Source

_CELLS = Cells(
    columns={
        "event.action": ("eventName",),
        "event.provider": ("eventSource",),
        "event.code": ("errorCode",),
        "aws.cloudtrail.errorCode": ("errorCode",),
        "aws.cloudtrail.eventType": ("eventType",),
        "aws.cloudtrail.userIdentity.type": ("userIdentity", "type"),
        "aws.cloudtrail.userIdentity.arn": ("userIdentity", "arn"),
        "aws.cloudtrail.userIdentity.invokedBy": ("userIdentity", "invokedBy"),
        "aws.cloudtrail.userIdentity.sessionContext.sessionIssuer.type": (
            "userIdentity", "sessionContext", "sessionIssuer", "type",
        ),
    },
    needed=("eventSource", "eventName"),
    wrapped=carried.NAMES | {"Records", "records", "detail", "insightDetails"},
)  # fmt: skip

source = Source(
    name="aws.cloudtrail",
    title={"ja": "AWS CloudTrail（API 操作・サインイン）", "en": "AWS CloudTrail (API calls and sign-ins)"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("eventSource",)),
    verbatim=Verbatim(
        columns={
            **dict.fromkeys(("event.action", "event.provider", "event.code", "event.reason"), Text()),
            **dict.fromkeys(("user_agent.original", "source.address", "aws.cloudtrail.flattened.*"), Text()),
            "aws.cloudtrail.*": Text(marks=("{longest}",)),
        },
        signs=r"a-z0-9 _.()&%$#@!~+;,:=/\-",
        cells=_CELLS,
    ),
    recognise=r'"eventSource"\s*:\s*"[^"]+\.amazonaws\.com"|"awsRegion"\s*:.*"eventType"\s*:\s*"Aws\w+"',
    leftovers="aws.cloudtrail",
    constants={"event.kind": "event", "cloud.provider": "aws", "cloud.service.name": "cloudtrail"},
)

_FLATTENED = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_eventdata",
    "serviceEventDetails": "service_event_details",
    "insightDetails": "insight_details",
    "resources": "resources",
}
_MOST_LEAVES = 100
_IDENTITY = {"iam.amazonaws.com", "sso.amazonaws.com", "sso-directory.amazonaws.com", "identitystore.amazonaws.com",
             "organizations.amazonaws.com", "cognito-idp.amazonaws.com"}  # fmt: skip
_SIGN_IN = {"signin.amazonaws.com", "sts.amazonaws.com"}
_VERBS = (
    (("Create", "Run", "Put", "Register", "Add", "Allocate", "Import"), "creation"),
    (("Delete", "Terminate", "Deregister", "Remove", "Release"), "deletion"),
    (("Get", "List", "Describe", "Lookup", "Head", "Search", "View", "Decrypt"), "access"),
)


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one CloudTrail record; None for JSON that is none."""
    record = _with_insight(opened(document))
    if text(record, "eventName") is None or text(record, "eventSource") is None:
        return None
    return kept(
        {**_flattened(record), **_happened(record), **_meaning(record), **_who(record), **_where(record)}
    )


@source.keep
def vendor(document: dict[str, Any]) -> Mapping[str, Any]:
    """The record under AWS's own names, but for what is flattened."""
    record = _with_insight(opened(document))
    return {name: value for name, value in record.items() if name not in _FLATTENED}


def _with_insight(record: dict[str, Any]) -> dict[str, Any]:
    """An Insights event says by `insightDetails` which operation was unusual; it is not a call itself."""
    details = at(record, "insightDetails")
    if not isinstance(details, dict) or "eventName" in record:
        return record
    return {**record, "eventName": details.get("eventName"), "eventSource": details.get("eventSource")}


def _flattened(record: dict[str, Any]) -> Flat:
    """Request, response and the like as JSON text, and their first leaves by name for rules to ask for."""
    found: Flat = {}
    for name, ours in _FLATTENED.items():
        value = record.get(name)
        if value:
            written = value if isinstance(value, str) else orjson.dumps(value).decode()
            found[f"aws.cloudtrail.flattened.{ours}"] = written
        if isinstance(value, dict):
            found.update(islice(leaves_of(value, f"aws.cloudtrail.{name}.", depth=3).items(), _MOST_LEAVES))
    return found


def _happened(record: dict[str, Any]) -> Flat:
    return {
        "@timestamp": time(record.get("eventTime")),
        "event.action": text(record, "eventName"),
        "event.provider": text(record, "eventSource"),
        "event.code": text(record, "errorCode"),
        "event.reason": text(record, "errorMessage"),
        "event.outcome": _outcome(record),
        "cloud.region": text(record, "awsRegion"),
        "cloud.account.id": text(record, "recipientAccountId") or text(record, "userIdentity", "accountId"),
        "cloud.instance.id": text(record, "requestParameters", "instanceId"),
    }


def _outcome(record: dict[str, Any]) -> str | None:
    if "insightDetails" in record:
        return None
    answer = text(record, "responseElements", str(record.get("eventName")))
    failed = text(record, "errorCode") or text(record, "errorMessage") or answer == "Failure"
    return "failure" if failed else "success"


def _meaning(record: dict[str, Any]) -> Flat:
    provider, name = str(record.get("eventSource")), str(record.get("eventName"))
    if "insightDetails" in record:
        return {"event.kind": "alert", "event.category": ["api"], "event.type": ["indicator"]}
    if provider in _SIGN_IN:
        return {"event.category": ["authentication"], "event.type": ["start"]}
    kind = next((kind for verbs, kind in _VERBS if name.startswith(verbs)), "change")
    if provider not in _IDENTITY:
        return {"event.category": ["api"], "event.type": [kind]}
    about = "group" if "Group" in name else "user" if "User" in name else "admin"
    return {"event.category": ["iam"], "event.type": ["info" if kind == "access" else kind, about]}


def _who(record: dict[str, Any]) -> Flat:
    """The caller. An assumed role's session name says which person or service holds the role."""
    who = at(record, "userIdentity")
    principal = text(who, "principalId")
    session = principal.partition(":")[2] if principal else ""
    role = text(who, "sessionContext", "sessionIssuer", "userName")
    named = text(who, "userName") or session or text(who, "invokedBy")
    return {
        "user.id": principal or text(who, "arn") or text(who, "accountId"),
        "user.name": named or ("root" if text(who, "type") == "Root" else None),
        "user.roles": [role] if role else None,
        "user.target.name": text(record, "requestParameters", "userName"),
        "group.name": text(record, "requestParameters", "groupName"),
    }


def _where(record: dict[str, Any]) -> Flat:
    """The caller's address; a service of AWS stands there by its name."""
    given = text(record, "sourceIPAddress")
    ip, _ = first_address(given)
    domain = given if ip is None and given and " " not in given else None
    return {
        "source.address": given,
        "source.ip": ip,
        "source.domain": domain,
        "user_agent.original": text(record, "userAgent"),
        "tls.cipher": text(record, "tlsDetails", "cipherSuite"),
        "tls.client.server_name": text(record, "tlsDetails", "clientProvidedHostHeader"),
    }
