"""Rules written in the clouds' own field names, on lines parsed by our sources: the tables join the two."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors import catalogue
from collectors.source import ROW
from tests.collectors import content
from tests.rules.engine import rulebook

_TRAIL = {
    "eventTime": "2026-11-20T03:12:09Z",
    "eventSource": "guardduty.amazonaws.com",
    "eventName": "UpdateDetector",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x"},
    "sourceIPAddress": "AWS Internal",
    "requestParameters": {"enable": False, "tasks": [{"command": "curl"}]},
}
_OKTA = {
    "eventType": "user.session.start",
    "published": "2026-11-20T03:12:09Z",
    "displayMessage": "User login to Okta",
    "actor": {"alternateId": "h.sato@city.example.jp"},
    "outcome": {"result": "FAILURE"},
    "debugContext": {"debugData": {"behaviors": "{New Device=POSITIVE}"}},
    "target": [{"type": "AppInstance", "displayName": "Admin Console"}],
}
_GITHUB = {"action": "repo.destroy", "created_at": 1795144329330, "actor": "x", "visibility": "private"}
_AUDIT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "verb": "create",
    "objectRef": {"resource": "pods", "namespace": "kube-system", "subresource": "exec", "apiGroup": "batch"},
    "responseStatus": {"code": 403},
    "requestObject": {"spec": {"volumes": [{"hostPath": {"path": "/etc"}}], "containers": []}},
}


@pytest.mark.parametrize(
    ("product", "service", "source", "record", "detection"),
    [
        ("aws", "cloudtrail", "aws.cloudtrail", _TRAIL, {"eventName": "UpdateDetector", "requestParameters.enable": "false"}),
        ("aws", "cloudtrail", "aws.cloudtrail", _TRAIL, {"userIdentity.arn|contains": "user/x", "sourceIPAddress": "AWS Internal"}),
        ("aws", "cloudtrail", "aws.cloudtrail", _TRAIL, {"requestParameters|contains|all": ["enable", "curl"]}),
        ("okta", "okta", "okta.system_log", _OKTA, {"eventType": "user.session.start", "outcome.result": "FAILURE"}),
        ("okta", "okta", "okta.system_log", _OKTA, {"target.displayName|contains": "Admin", "displayMessage|contains": "login"}),
        ("okta", "okta", "okta.system_log", _OKTA, {"debugContext.debugData.behaviors|contains": "POSITIVE"}),
        ("github", "audit", "github.audit", _GITHUB, {"action": "repo.destroy", "visibility": "private"}),
        ("kubernetes", "audit", "kubernetes.audit", _AUDIT, {"verb": "create", "objectRef.subresource": "exec", "apiGroup": "batch"}),
        ("kubernetes", "audit", "kubernetes.audit", _AUDIT, {"responseStatus.code": [401, 403], "hostPath": "*"}),
    ],
)  # fmt: skip
def test_a_rule_in_the_vendors_names_finds_the_vendors_line(
    tmp_path: Path, product: str, service: str, source: str, record: dict[str, Any], detection: dict[str, Any]
) -> None:
    """The rule finds the record, and not the same record where its first field says something else."""
    first = next(iter(detection))
    other = {**detection, first: "somebody else's"}
    logsource = {"product": product, "service": service}
    written = [
        rulebook.rule({"sel": sel, "condition": "sel"}, logsource=logsource, id=f"{n}1111111-2222-4333-8444-555555555555")
        for n, sel in enumerate((detection, other))
    ]  # fmt: skip
    loaded = rulebook.rules(tmp_path, *written)
    [frame] = catalogue.find(source).parse(content.intake(orjson.dumps(record).decode())).frames
    event = {**content.flat(frame.drop(ROW)), "event.original": orjson.dumps(record).decode()}
    hits = loaded.match(rulebook.batch([event], source)).hits
    assert [(rule.id[0], rows.tolist()) for rule, rows in hits] == [("0", [0])]
    assert loaded.rules[0].feeds == (source,)
