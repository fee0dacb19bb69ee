"""SentinelOne: a machine is disconnected from the network, and connected again.

Facts: SentinelOne Management API v2.1, Agents and Agent Actions: header `Authorization: ApiToken …`; GET
/web/api/v2.1/agents?computerName__like=… (a part of the name; `computerName` is the whole of it, as the agent wrote it; `limit`:
10 unless asked for, 1000 at most; `networkStatus`: connected, disconnecting, disconnected, connecting); POST
/web/api/v2.1/agents/actions/disconnect|connect {"filter": {"ids": […]}, "data": {}} → {"data": {"affected": n}}. Parameters
and bodies: the API's own schema, as a client that was generated from it documents (Dirt-Diver/s1-api, AgentsApi,
AgentsSchemasAgentsDangerousActionSchema).
A service user of one site with a role that has Endpoints: View, Disconnect From Network, Reconnect To Network.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hinomi.config import Section
from hinomi.errors import Refused
from hinomi.secret import Secret
from responders.connectors.held import Held, host_name, only_machine
from responders.connectors.protocol import Kind
from responders.connectors.web_api import WebApi, opened

_PATH = "/web/api/v2.1/agents"


class SentinelOne(Section):
    """url: of the console; token: of a service user that may view, disconnect and reconnect endpoints."""

    kind: Literal["sentinelone"]
    url: str
    token: Secret
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Agents:
    """See `held.Grip`."""

    settings: SentinelOne

    @contextmanager
    def session(self) -> Iterator[WebApi]:
        """With the token in the header."""
        own = self.settings
        headers = {"Authorization": f"ApiToken {own.token.reveal()}"}
        with opened("SentinelOne", own.url, own.ca, headers) as api:
            yield api

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The agent's id, where exactly one has the name."""
        short = host_name(value)
        found = self._agents(api, computerName__like=short, limit="1000")
        named = [one for one in found if str(one["computerName"]).split(".")[0].lower() == short]
        return only_machine(value, [str(one["id"]) for one in named])

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Disconnected, or about to be."""
        found = self._agents(api, ids=target)
        return bool(found) and found[0]["networkStatus"] in ("disconnected", "disconnecting")

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Disconnect it."""
        self._act(api, "disconnect", target)

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Connect it."""
        self._act(api, "connect", target)

    def healthy(self, api: WebApi) -> None:
        """Reads one agent."""
        self._agents(api, limit="1")

    def _agents(self, api: WebApi, **query: str) -> list[dict[str, Any]]:
        return list(api.call("GET", _PATH, params=query).get("data") or [])

    def _act(self, api: WebApi, name: str, target: str) -> None:
        said = api.call("POST", f"{_PATH}/actions/{name}", json={"filter": {"ids": [target]}, "data": {}})
        if int((said.get("data") or {}).get("affected", 0)) != 1:
            raise Refused("SentinelOne はどの端末にも行いませんでした。", "SentinelOne affected no machine")


KIND = Kind("sentinelone", SentinelOne, lambda own: Held(Agents(own)), frozenset({"endpoint.isolate"}))
