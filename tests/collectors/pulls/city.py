"""Every kind of pull beside a server of its own, and what the server holds."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from collectors.pulls import Pull, kinds
from tests.collectors.pulls.peers.google import ADMINISTRATOR, SUBSCRIPTION, Google
from tests.collectors.pulls.peers.manners import Manners, service_account
from tests.collectors.pulls.peers.microsoft import TENANT, Microsoft
from tests.collectors.pulls.peers.others import Box, GitHub, Okta, Slack, Zoom

SECRET = "s3cret-of-the-app"
KEY, PUBLIC = service_account()


@dataclass(frozen=True, slots=True)
class City:
    """One service: its server, its manners, settings but for the address, and how to let something happen there.

    happen(name, minutes): an event of that name, so many minutes ago; elsewhere: the same in another of the service's
    logs; first: what is in every question about the log that is asked first, and in no other.
    """

    app: Starlette
    manners: Manners
    settings: dict[str, Any]
    happen: Callable[[str, float], None]
    token_path: str = ""
    elsewhere: Callable[[str, float], None] | None = None
    first: str = ""

    def pull(self, url: str, ca: Path, **more: Any) -> Pull:
        """The settings as a model."""
        signs = {"token_url": f"{url}{self.token_path}"} if self.token_path else {}
        given = {**self.settings, **signs, "url": url, "ca": ca, "settle": 0, **more}
        if "tenant" in given:
            given["sign_in_url"] = url
        return kinds()[given["kind"]].model_validate(given)


def _ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def _text(minutes: float) -> str:
    return _ago(minutes).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _secrets(folder: Path) -> dict[str, str]:
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    return {"client_id": "app", "client_secret": f"file:{folder / 'secret'}"}


def _fixed(folder: Path, token: str) -> dict[str, str]:
    (folder / "token").write_text(token, encoding="utf-8")
    return {"token": f"file:{folder / 'token'}"}


def _key(folder: Path) -> dict[str, str]:
    (folder / "key.json").write_text(KEY, encoding="utf-8")
    return {"key": f"file:{folder / 'key.json'}"}


def m365(folder: Path) -> City:
    """Two records a blob would do; one is enough to need pages."""
    there = Microsoft(SECRET, datetime.now(UTC))

    def to(content: str) -> Callable[[str, float], None]:
        own = there.blobs.setdefault(content, [])

        def happen(name: str, minutes: float) -> None:
            own.append((_ago(minutes), [{"Id": name, "CreationTime": _text(minutes), "Workload": content}]))

        return happen

    contents = ["Audit.Exchange", "Audit.General"]
    settings = {"kind": "microsoft_m365_audit", "tenant": TENANT, "content": contents}
    exchange, general = map(to, contents)
    return City(
        there.app(),
        there.manners,
        settings | _secrets(folder),
        exchange,
        elsewhere=general,
        first="Audit.Exchange",
    )


def graph(folder: Path) -> City:
    """Sign-ins."""
    there = Microsoft(SECRET, datetime.now(UTC))

    def happen(name: str, minutes: float) -> None:
        there.sign_ins.append({"id": name, "createdDateTime": _text(minutes)})

    def elsewhere(name: str, minutes: float) -> None:
        there.audits.append({"id": name, "activityDateTime": _text(minutes)})

    settings = {"kind": "microsoft_graph", "tenant": TENANT}
    return City(
        there.app(),
        there.manners,
        settings | _secrets(folder),
        happen,
        elsewhere=elsewhere,
        first="auditLogs/signIns",
    )


def okta(folder: Path) -> City:
    """The System Log."""
    there = Okta()

    def happen(name: str, minutes: float) -> None:
        there.events.append({"uuid": name, "published": _text(minutes), "eventType": "user.session.start"})

    return City(
        there.app(), there.manners, {"kind": "okta_system_log"} | _fixed(folder, "okta-token"), happen
    )


def github(folder: Path) -> City:
    """An organisation's audit log."""
    there = GitHub()

    def happen(name: str, minutes: float) -> None:
        there.events.append({"_document_id": name, "@timestamp": int(_ago(minutes).timestamp() * 1000)})

    settings = {"kind": "github_audit", "organization": "city"}
    return City(there.app(), there.manners, settings | _fixed(folder, "gh-token"), happen)


def slack(folder: Path) -> City:
    """The audit log."""
    there = Slack()

    def happen(name: str, minutes: float) -> None:
        there.entries.append({"id": name, "date_create": int(_ago(minutes).timestamp())})

    return City(there.app(), there.manners, {"kind": "slack_audit"} | _fixed(folder, "xoxp-1"), happen)


def box(folder: Path) -> City:
    """A stream that gives an event twice."""
    there = Box(SECRET, again={"e2"})

    def happen(name: str, minutes: float) -> None:
        there.events.append({"event_id": name, "created_at": _text(minutes)})

    settings = {"kind": "box_events", "enterprise": "4711"}
    return City(there.app(), there.manners, settings | _secrets(folder), happen, "/oauth2/token")


def zoom(folder: Path) -> City:
    """Records without an identity."""
    there = Zoom(SECRET)

    def happen(name: str, minutes: float) -> None:
        there.operations.append({"time": _text(minutes), "operator": name})

    def elsewhere(name: str, minutes: float) -> None:
        there.activities.append({"time": _text(minutes), "email": name})

    settings = {"kind": "zoom_reports", "account": "acc"}
    return City(
        there.app(),
        there.manners,
        settings | _secrets(folder),
        happen,
        "/oauth/token",
        elsewhere,
        "report/operationlogs",
    )


def workspace(folder: Path) -> City:
    """Sign-ins, newest first."""
    there = Google(PUBLIC)

    def to(application: str) -> Callable[[str, float], None]:
        own = there.activities.setdefault(application, [])

        def happen(name: str, minutes: float) -> None:
            known = {"time": _text(minutes), "uniqueQualifier": name, "applicationName": application}
            own.append({"id": known, "events": [{"name": "success"}]})

        return happen

    settings = {
        "kind": "google_workspace",
        "administrator": ADMINISTRATOR,
        "applications": ["login", "admin"],
    }
    signs = settings | _key(folder)
    return City(there.app(), there.manners, signs, to("login"), "/token", to("admin"), "applications/login")


def pubsub(folder: Path) -> City:
    """Log entries on a subscription."""
    there = Google(PUBLIC)

    def happen(name: str, minutes: float) -> None:
        there.messages[name] = json.dumps({"insertId": name, "timestamp": _text(minutes)}, indent=1)

    settings = {"kind": "google_pubsub", "subscription": SUBSCRIPTION}
    return City(there.app(), there.manners, settings | _key(folder), happen, "/token")


CITIES: dict[str, Callable[[Path], City]] = {
    "box_events": box,
    "github_audit": github,
    "google_pubsub": pubsub,
    "google_workspace": workspace,
    "microsoft_graph": graph,
    "microsoft_m365_audit": m365,
    "okta_system_log": okta,
    "slack_audit": slack,
    "zoom_reports": zoom,
}
