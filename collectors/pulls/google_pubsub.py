"""Google Cloud: log entries that a sink puts on a Pub/Sub subscription (Cloud Audit Logs and others).

Facts: Google Cloud, "Pub/Sub REST: subscriptions.pull, subscriptions.acknowledge": pull gives receivedMessages with
ackId and message {data in base64, messageId, publishTime}; what is not acknowledged in time comes again; delivery is at
least once. Messages are acknowledged only when they are spooled. Needs roles/pubsub.subscriber on that subscription.
"LogEntry": logName is `projects/…/logs/<id>` with the id URL-encoded; resource.type.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal
from urllib.parse import unquote

import orjson
from pydantic import Field

from collectors.pulls.answers import body
from collectors.pulls.api import Api, NothingCame
from collectors.pulls.pull import ApiPull, Cursor, Page
from collectors.pulls.routes import OTHERS, Routes, of_others
from collectors.pulls.signin import OAuth, ServiceAccount, SignIn
from hinomi.secret import Secret

_SCOPE = "https://www.googleapis.com/auth/pubsub"
_HELD = 120.0
"""Seconds: the service keeps a question of a quiet subscription open for about ninety."""
LOGS = {
    "cloudaudit.googleapis.com/*": "google.cloud_audit",
    "*/vpc_flows": "google.vpc_flow",
    "compute.googleapis.com/firewall": "google.cloud_firewall",
    "dns.googleapis.com/dns_queries": "google.cloud_dns",
    "requests": "google.cloud_load_balancing",
    "http_load_balancer": "google.cloud_load_balancing",
    "http_external_regional_lb_rule": "google.cloud_load_balancing",
    "internal_http_lb_rule": "google.cloud_load_balancing",
    "k8s_*": "google.kubernetes_engine",
}
"""Id of a log, or type of the resource that wrote it, or a pattern of several → the source that reads it."""


class GooglePubSub(ApiPull):
    """`kind: google_pubsub`. subscription: projects/…/subscriptions/…; key: a service account's JSON key file;
    logs: id of a log or type of a resource, or a pattern such as `k8s_*` → format; others: the format of any other log's
    entries, which keeps all their values (`source` where only that is written). `source` is that of
    what has no `logName`: it is no log entry."""

    kind: Literal["google_pubsub"]
    source: str = "google.cloud_audit"
    url: str = "https://pubsub.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
    key: Secret
    subscription: str = Field(pattern=r"^projects/[A-Za-z0-9:.-]+/subscriptions/[A-Za-z0-9._~%+-]+$")
    logs: dict[str, str] = Field(default_factory=lambda: dict(LOGS))
    others: str = OTHERS
    every: float = Field(default=5.0, ge=1)

    def sources(self) -> set[str]:
        """See `Pull.sources`."""
        return {*self.logs.values(), self._others}

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return OAuth(self.token_url, ServiceAccount(self.key, _SCOPE))

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`. What stands after the yield runs when the messages are spooled."""
        while True:
            try:
                answer = await api.ask(
                    "POST", f"/v1/{self.subscription}:pull", body={"maxMessages": 1000}, held=_HELD
                )
            except NothingCame:
                return
            received = body(answer).get("receivedMessages", [])
            if not received:
                return
            for found in self._sorted([one["message"] for one in received], cursor):
                yield found
            done = {"ackIds": [one["ackId"] for one in received]}
            await api.ask("POST", f"/v1/{self.subscription}:acknowledge", body=done)

    def _sorted(self, messages: list[Mapping[str, Any]], cursor: Cursor) -> Iterator[Page]:
        """The messages as pages of one format each."""
        found: dict[str, Page] = {}
        for message in messages:
            payload = _payload(message)
            source = self.source_of(payload)
            page = found.setdefault(source, Page([], [], cursor, source))
            page.payloads.append(payload)
            page.ids.append(str(message["messageId"]))
        yield from found.values()

    def source_of(self, payload: bytes) -> str:
        """The format of a log entry; the pull's own of what is none."""
        try:
            entry = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return self.source
        if not isinstance(entry, dict):
            return self.source
        log = unquote(str(entry.get("logName", "")).partition("/logs/")[2])
        resource = entry.get("resource")
        kind = str(resource.get("type", "")) if isinstance(resource, dict) else ""
        named = self._routes.of(log) or self._routes.of(kind)
        return named or (self._others if "logName" in entry else self.source)

    @cached_property
    def _others(self) -> str:
        return of_others(self, self.others)

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self.logs)


def _payload(message: Mapping[str, Any]) -> bytes:
    """The entry on one line; what is no base64 is kept as it came."""
    data = str(message.get("data", ""))
    try:
        return base64.b64decode(data, validate=True).replace(b"\r", b"").replace(b"\n", b" ")
    except binascii.Error:
        return data.encode()
