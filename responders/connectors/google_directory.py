"""Google Workspace: an account is suspended and restored; it is signed out of all web and device sessions.

Facts: Google, Admin SDK Directory API, users and users.signOut
(developers.google.com/admin-sdk/directory/reference/rest/v1/users/signOut): GET and PATCH
/admin/directory/v1/users/{userKey} (`suspended`), POST …/users/{userKey}/signOut (empty body, 204; a sign-out leaves no state
that could be read). A service account with domain-wide delegation of just admin.directory.user and
admin.directory.user.security, on behalf of an administrator whose role may suspend and sign out users.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from collectors.pulls.signin import ServiceAccount
from hinomi.config import Section
from hinomi.errors import Refused
from hinomi.secret import Secret
from responders.connectors.held import Held
from responders.connectors.protocol import Kind
from responders.connectors.web_api import WebApi, bearer, opened

_SCOPES = (
    "https://www.googleapis.com/auth/admin.directory.user",
    "https://www.googleapis.com/auth/admin.directory.user.security",
)
_USERS = "/admin/directory/v1/users"


class GoogleDirectory(Section):
    """key: the service account's JSON key file; administrator: on whose behalf it asks; domain: of the accounts."""

    kind: Literal["google_directory"]
    key: Secret
    administrator: str
    domain: str
    url: str = "https://admin.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Users:
    """See `held.Grip`."""

    settings: GoogleDirectory

    @contextmanager
    def session(self) -> Iterator[WebApi]:
        """A token for one errand."""
        own = self.settings
        signing = ServiceAccount(own.key, " ".join(_SCOPES), own.administrator)
        with opened("Google Workspace", own.url, own.ca) as api:
            bearer(api, own.token_url, signing.fields(own.token_url))
            yield api

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The user's id. An account without a domain is one of ours."""
        account = value.rsplit("\\", 1)[-1].split("@", 1)[0]
        if (
            not account
            or not account.isascii()
            or not account.translate(str.maketrans("", "", "._-+")).isalnum()
        ):
            raise Refused(f"「{value}」はアカウント名ではありません。", f'"{value}" is no account name')
        found = api.call("GET", f"{_USERS}/{quote(f'{account}@{self.settings.domain}', safe='@')}")
        return str(found["id"])

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Whether it is suspended."""
        return bool(api.call("GET", f"{_USERS}/{quote(target, safe='')}").get("suspended"))

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Suspend it, or sign it out."""
        path = f"{_USERS}/{quote(target, safe='')}"
        if action == "cloud_directory.end_sessions":
            api.call("POST", f"{path}/signOut")
        else:
            api.call("PATCH", path, json={"suspended": True})

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Restore it."""
        api.call("PATCH", f"{_USERS}/{quote(target, safe='')}", json={"suspended": False})

    def healthy(self, api: WebApi) -> None:
        """Reads one user."""
        api.call("GET", _USERS, params={"domain": self.settings.domain, "maxResults": "1"})


def _make(settings: GoogleDirectory) -> Held:
    return Held(Users(settings), momentary=frozenset({"cloud_directory.end_sessions"}))


KIND = Kind(
    "google_directory",
    GoogleDirectory,
    _make,
    frozenset({"cloud_directory.disable_account", "cloud_directory.end_sessions"}),
)
