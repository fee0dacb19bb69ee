"""Microsoft Defender for Endpoint: isolate a machine from the network, and release it.

Facts: Microsoft Learn, "Isolate machine API" (learn.microsoft.com/defender-endpoint/api/isolate-machine): POST
/api/machines/{id}/isolate {Comment, IsolationType}, …/unisolate, Machine.Isolate, 100 calls a minute and 1,500 an hour;
GET /api/machines?$filter=computerDnsName eq '…'; /api/machineactions/{id} tells the state (Succeeded, Pending …);
client-credential tokens from the tenant's /oauth2/v2.0/token with scope https://api.securitycenter.microsoft.com/.default.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hinomi.config import Section
from hinomi.secret import Secret
from responders.connectors.held import Held, host_name, only_machine
from responders.connectors.protocol import Kind
from responders.connectors.web_api import WebApi, bearer, opened

_SCOPE = "https://api.securitycenter.microsoft.com/.default"
_STANDING = ("Pending", "InProgress", "Succeeded")


class DefenderEndpoint(Section):
    """Microsoft Defender for Endpoint: isolates machines. It needs Machine.Isolate and Machine.Read.All."""

    kind: Literal["defender"]
    url: str = "https://api.security.microsoft.com"
    token_url: str
    client_id: str
    client_secret: Secret
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Machines:
    """See `held.Grip`."""

    settings: DefenderEndpoint

    @contextmanager
    def session(self) -> Iterator[WebApi]:
        """A token for one errand."""
        own = self.settings
        form = {"grant_type": "client_credentials", "client_id": own.client_id, "scope": _SCOPE}
        with opened("Defender", own.url, own.ca) as api:
            bearer(api, own.token_url, {**form, "client_secret": own.client_secret.reveal()})
            yield api

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The machine's id, where exactly one has the name."""
        short = host_name(value)
        query = {"$filter": f"startswith(computerDnsName,'{short}')"}
        found = api.call("GET", "/api/machines", params=query)["value"]
        named = [one for one in found if str(one["computerDnsName"]).split(".")[0].lower() == short]
        return only_machine(value, [str(one["id"]) for one in named])

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Whether the newest action on it that stands, or is on its way, isolates it."""
        query = {
            "$filter": f"machineId eq '{target}' and (type eq 'Isolate' or type eq 'Unisolate')",
            "$orderby": "creationDateTimeUtc desc",
        }
        asked = api.call("GET", "/api/machineactions", params=query)["value"]
        standing = [one for one in asked if one["status"] in _STANDING]
        return bool(standing) and standing[0]["type"] == "Isolate"

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Ask for full isolation."""
        body = {"Comment": "Hinomi", "IsolationType": "Full"}
        api.call("POST", f"/api/machines/{target}/isolate", json=body)

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Release it."""
        api.call("POST", f"/api/machines/{target}/unisolate", json={"Comment": "Hinomi"})

    def healthy(self, api: WebApi) -> None:
        """Reads one machine."""
        api.call("GET", "/api/machines", params={"$top": "1"})


KIND = Kind("defender", DefenderEndpoint, lambda own: Held(Machines(own)), frozenset({"endpoint.isolate"}))
