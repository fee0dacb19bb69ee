"""Signing in to Microsoft Graph, and who an account is there. Facts: `entra_graph`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hinomi.config import Section
from hinomi.errors import Refused
from hinomi.secret import Secret
from responders.connectors.web_api import WebApi, bearer, opened

_SCOPE = "https://graph.microsoft.com/.default"


class GraphAccess(Section):
    """How a connector signs in to Graph. domain: of the accounts, `t.yamada` becomes `t.yamada@domain`."""

    kind: str
    domain: str
    token_url: str
    client_id: str
    client_secret: Secret
    url: str = "https://graph.microsoft.com"
    ca: Path | None = None


@contextmanager
def graph(own: GraphAccess) -> Iterator[WebApi]:
    """A token for one errand."""
    form = {"grant_type": "client_credentials", "client_id": own.client_id, "scope": _SCOPE}
    with opened("Microsoft Graph", own.url, own.ca) as api:
        bearer(api, own.token_url, {**form, "client_secret": own.client_secret.reveal()})
        yield api


@dataclass(frozen=True, slots=True)
class User:
    """id: as it stands in a path; since: before this moment no session counts."""

    id: str
    name: str
    enabled: bool
    since: str | None


def user(api: WebApi, account: str, domain: str) -> User:
    """The one whose account it is. Raises Refused for what is no account name, and for nobody."""
    short = account.rsplit("\\", 1)[-1].split("@", 1)[0]
    if not short.replace(".", "").replace("-", "").replace("_", "").isalnum():
        raise Refused(f"「{short}」はアカウント名ではありません。", f'"{short}" is no account name')
    name = f"{short}@{domain}"
    select = "id,userPrincipalName,accountEnabled,signInSessionsValidFromDateTime"
    found = api.call("GET", f"/v1.0/users/{quote(name)}", params={"$select": select})
    since = found.get("signInSessionsValidFromDateTime")
    return User(quote(str(found["id"]), safe=""), name, bool(found["accountEnabled"]), since and str(since))
