"""Microsoft Defender for Endpoint: isolate a machine from the network, and release it.

Facts: Microsoft Learn, "Isolate machine API": POST /api/machines/{id}/isolate {Comment, IsolationType}, …/unisolate;
GET /api/machines?$filter=computerDnsName eq '…'; /api/machineactions/{id} tells the state (Succeeded, Pending …);
client-credential tokens from the tenant's /oauth2/v2.0/token with scope https://api.securitycenter.microsoft.com/.default.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from hinomi import trust
from hinomi.errors import DependencyDown, Refused
from responders.connectors.protocol import Done, Kind
from responders.connectors.settings import DefenderEndpoint

_TIMEOUT = 20.0
_SCOPE = "https://api.securitycenter.microsoft.com/.default"
_HELD = ("Pending", "InProgress", "Succeeded")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`isolate_endpoint` with values {host}."""

    settings: DefenderEndpoint

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the machine up."""
        with self._api() as api:
            machine = self._machine(api, values["host"])
            if self._isolated(api, machine):
                return Done(
                    f"{values['host']} は既に隔離しています。",
                    f"{values['host']} is isolated already",
                    changed=False,
                )
        return Done(
            f"{values['host']} をネットワークから隔離します。", f"isolate {values['host']} from the network"
        )

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The machine's id and whether it is isolated."""
        with self._api() as api:
            machine = self._machine(api, values["host"])
            return {"machine": machine, "isolated": self._isolated(api, machine)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Ask for full isolation."""
        with self._api() as api:
            machine = self._machine(api, values["host"])
            if self._isolated(api, machine):
                return Done(
                    f"{values['host']} は既に隔離していました。",
                    f"{values['host']} was isolated already",
                    changed=False,
                )
            body = {"Comment": "Hinomi", "IsolationType": "Full"}
            self._call(api, "POST", f"/api/machines/{machine}/isolate", body)
        return Done(f"{values['host']} を隔離しました。", f"isolated {values['host']}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the newest isolation action of the machine stands."""
        with self._api() as api:
            return self._isolated(api, self._machine(api, values["host"]))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Release the machine, unless it was isolated before."""
        machine, host = str(before["machine"]), values["host"]
        if before.get("isolated"):
            return Done(
                f"{host} はもともと隔離していました。", f"{host} had been isolated before", changed=False
            )
        with self._api() as api:
            if self._isolated(api, machine):
                self._call(api, "POST", f"/api/machines/{machine}/unisolate", {"Comment": "Hinomi"})
        return Done(f"{host} の隔離を解きました。", f"released {host}")

    def health(self) -> str:
        """Signs in and reads one machine."""
        try:
            with self._api() as api:
                self._call(api, "GET", "/api/machines", params={"$top": "1"})
        except (DependencyDown, Refused) as error:
            return error.ja
        return ""

    def _machine(self, api: httpx.Client, host: str) -> str:
        if not host.replace("-", "").replace(".", "").isalnum():
            raise Refused(f"「{host}」は端末名ではありません。", f'"{host}" is not a host name')
        found = self._call(
            api, "GET", "/api/machines", params={"$filter": f"startswith(computerDnsName,'{host}')"}
        )
        exact = [
            one
            for one in found["value"]
            if one["computerDnsName"].split(".")[0].lower() == host.split(".")[0].lower()
        ]
        if len(exact) != 1:
            raise Refused(
                f"端末「{host}」は {len(exact)} 台あります。1台のときだけ操作します。",
                f'{len(exact)} machines are named "{host}", not one',
            )
        return str(exact[0]["id"])

    def _isolated(self, api: httpx.Client, machine: str) -> bool:
        query = {
            "$filter": f"machineId eq '{machine}' and (type eq 'Isolate' or type eq 'Unisolate')",
            "$orderby": "creationDateTimeUtc desc",
        }
        actions = self._call(api, "GET", "/api/machineactions", params=query)["value"]
        standing = [one for one in actions if one["status"] in _HELD]
        return bool(standing) and standing[0]["type"] == "Isolate"

    def _call(
        self,
        api: httpx.Client,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        answer = api.request(method, path, json=body, params=params)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise DependencyDown(
                f"Defender が {answer.status_code} を返しました。", f"Defender answered {answer.status_code}"
            )
        if answer.status_code >= 400:
            raise Refused(
                f"Defender が操作を断りました({answer.status_code})。",
                f"Defender refused: {answer.status_code}",
            )
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise DependencyDown(
                "Defenderの応答を読めません。", "Defender answered something that is no JSON"
            ) from None
        return found

    @contextmanager
    def _api(self) -> Iterator[httpx.Client]:
        verify = trust.context(self.settings.ca)
        try:
            with httpx.Client(base_url=self.settings.url, timeout=_TIMEOUT, verify=verify) as api:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self.settings.client_id,
                    "client_secret": self.settings.client_secret.reveal(),
                    "scope": _SCOPE,
                }
                signed = api.post(self.settings.token_url, data=form)
                if signed.status_code == 429 or signed.status_code >= 500:
                    raise DependencyDown(
                        f"Microsoft のサインインが {signed.status_code} を返しました。",
                        f"Microsoft's sign-in answered {signed.status_code}",
                    )
                if signed.status_code != 200:
                    raise Refused(
                        "Defender へのサインインが断られました。",
                        f"sign-in was refused: {signed.status_code}",
                    )
                api.headers["Authorization"] = f"Bearer {signed.json()['access_token']}"
                yield api
        except httpx.HTTPError as error:
            raise DependencyDown(
                f"Defender に届きません({type(error).__name__})。",
                f"Defender cannot be reached: {type(error).__name__}",
            ) from None


KIND = Kind("defender", DefenderEndpoint, Endpoint, frozenset({"endpoint.isolate"}))
