"""Kubernetes API server audit events (audit.k8s.io/v1), from the log backend or a webhook.

Facts: Kubernetes documentation, "Auditing"; API reference, "kube-apiserver Audit Configuration (v1)",
`Event`. `impersonatedUser` is whom the caller acts as (`user.effective.*`). The API server adds the decision
of its authorisation as an annotation: `forbid` or an answer of 400 and above is a failure, a stage before
the answer says nothing yet. Request and response objects stay as JSON text under `kubernetes.audit.*`, since
every resource has fields of its own; what containers may do is taken out of them.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from collectors.records import Flat, JsonRecords, at, embedded, first_address, items, kept, text, time
from collectors.source import Source

source = Source(
    name="kubernetes.audit",
    title={"ja": "Kubernetes API 監査ログ", "en": "Kubernetes API server audit log"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("verb",)),
    recognise=r'"apiVersion"\s*:\s*"audit\.k8s\.io/',
    leftovers="kubernetes.audit",
    constants={"event.kind": "event", "event.provider": "kube-apiserver", "orchestrator.type": "kubernetes"},
)

_OBJECTS = ("requestObject", "responseObject")
_TYPES = {
    "create": "creation", "delete": "deletion", "deletecollection": "deletion", "update": "change",
    "patch": "change", "get": "access", "list": "access", "watch": "access", "proxy": "access",
}  # fmt: skip
_METHODS = {
    "create": "POST", "delete": "DELETE", "deletecollection": "DELETE", "update": "PUT", "patch": "PATCH",
    "get": "GET", "list": "GET", "watch": "GET",
}  # fmt: skip
_PERMISSIONS = {"roles", "rolebindings", "clusterroles", "clusterrolebindings", "serviceaccounts"}
_RESULT = {"allow": "success", "forbid": "failure"}


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one audit event; None for JSON that is none."""
    record = document if "verb" in document else _opened(document)
    if record.get("kind", "Event") != "Event" or not _ours(record):
        return None
    found = {**_happened(record), **_who(record), **_what(record), **_request(record)}
    return kept({**_vendor(record), **found})


@source.keep
def vendor(document: dict[str, Any]) -> Mapping[str, Any]:
    """What the event says beside its objects, under Kubernetes's own names."""
    record = document if "verb" in document else _opened(document)
    return {name: value for name, value in record.items() if name not in _OBJECTS}


def _opened(document: dict[str, Any]) -> dict[str, Any]:
    """Azure (AKS), CloudWatch (EKS) and log shippers carry the event as JSON text."""
    told = (at(document, "properties", "log"), document.get("log"), document.get("message"))
    return next((inner for one in told if isinstance(inner := embedded(one), dict)), document)


def _ours(record: dict[str, Any]) -> bool:
    """Whether the group's name is there, or, without one, what only an audit event has."""
    version = text(record, "apiVersion")
    return "auditID" in record if version is None else version.startswith("audit.k8s.io/")


def _vendor(record: dict[str, Any]) -> Flat:
    whole = {f"kubernetes.audit.{name}": _json(record[name]) for name in _OBJECTS if record.get(name)}
    return {**whole, **_pod(record)}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _happened(record: dict[str, Any]) -> Flat:
    verb = text(record, "verb")
    resource = text(record, "objectRef", "resource")
    started, reached = time(record.get("requestReceivedTimestamp")), time(record.get("stageTimestamp"))
    return {
        "@timestamp": reached or started,
        "event.start": started,
        "event.code": text(record, "auditID"),
        "event.action": verb,
        "event.category": ["iam"] if resource in _PERMISSIONS else ["api"],
        "event.type": [_TYPES.get(str(verb), "info")],
        "event.outcome": _outcome(record),
        "event.reason": text(record, "responseStatus", "message")
        or text(record, "annotations", "authorization.k8s.io/reason"),
    }


def _outcome(record: dict[str, Any]) -> str:
    """By the answer's code, or by the authorisation where there is no answer yet."""
    code = text(record, "responseStatus", "code")
    if code is not None and code.isdecimal():
        return "failure" if len(code) == 3 and code >= "400" else "success"
    return _RESULT.get(str(text(record, "annotations", "authorization.k8s.io/decision")), "unknown")


def _who(record: dict[str, Any]) -> Flat:
    acting = at(record, "impersonatedUser")
    return {
        "user.name": text(record, "user", "username"),
        "user.id": text(record, "user", "uid"),
        "user.roles": [one for one in items(record, "user", "groups") if isinstance(one, str)],
        "user.effective.name": text(acting, "username"),
        "user.effective.id": text(acting, "uid"),
    }


def _what(record: dict[str, Any]) -> Flat:
    return {
        "orchestrator.namespace": text(record, "objectRef", "namespace"),
        "orchestrator.resource.type": text(record, "objectRef", "resource"),
        "orchestrator.resource.name": text(record, "objectRef", "name"),
        "orchestrator.api_version": text(record, "objectRef", "apiVersion"),
    }


def _request(record: dict[str, Any]) -> Flat:
    """The first address is the client as proxies name it; the last the connection's own peer."""
    ip, _ = first_address(*items(record, "sourceIPs"))
    uri = text(record, "requestURI")
    path, _, query = uri.partition("?") if uri else (None, "", None)
    return {
        "source.ip": ip,
        "client.ip": ip,
        "url.original": uri,
        "url.path": path,
        "url.query": query,
        "http.request.method": _METHODS.get(str(text(record, "verb"))),
        "http.response.status_code": text(record, "responseStatus", "code"),
        "user_agent.original": text(record, "userAgent"),
    }


def _pod(record: dict[str, Any]) -> Flat:
    """What a pod asks for that reaches out of its container; a Deployment's pods stand in its template."""
    asked = at(record, "requestObject", "spec")
    spec = at(asked, "template", "spec") or asked
    containers = [one for one in items(spec, "containers") if isinstance(one, dict)]
    volumes = [text(one, "hostPath", "path") for one in items(spec, "volumes")]
    added = [one for each in containers for one in items(each, "securityContext", "capabilities", "add")]
    privileged = any(at(one, "securityContext", "privileged") is True for one in containers)
    return {
        "container.image.name": text(containers[0], "image") if containers else None,
        "kubernetes.pod.images": [image for one in containers if (image := text(one, "image"))],
        "kubernetes.pod.commands": [
            " ".join(map(str, items(one, "command"))) for one in containers if at(one, "command")
        ],
        "kubernetes.pod.host_paths": [path for path in volumes if path],
        "kubernetes.pod.capabilities": [str(one) for one in added],
        "kubernetes.pod.privileged": "true" if privileged else None,
        "kubernetes.pod.host_network": text(spec, "hostNetwork"),
        "kubernetes.pod.host_pid": text(spec, "hostPID"),
    }
