"""Wazuh active response: a script on the agent isolates the machine, a group of agents says which are isolated.

Facts: Wazuh server API 4.x: POST /security/user/authenticate (basic) → JWT; GET /agents?name=…; PUT /active-response
?agents_list=… {"command": "!script", "arguments": […]} (`!` names a script in active-response/bin); PUT and DELETE
/agents/{id}/group/{group}; errors in `data.failed_items`. The API does not tell what a script did: membership of the group
says what was ordered, so it is what is verified. The agent hands the script a JSON object whose `command` is always `add` for
what the API orders: which of `add` and `delete` is meant stands in `parameters.extra_args`. Wazuh 5 has no such call: active
responses hang on its alerting monitors there, and its scripts get other words than `add` and `delete` ("Migrating active response
scripts from Wazuh 4.x to Wazuh 5.x", documentation.wazuh.com/5.0-beta/user-manual/capabilities/active-response); it is not served.
Rights: active-response:command, agent:read, agent:modify_group, group:modify_assignments, for the agents that may be isolated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown, Refused
from hinomi.secret import Secret
from responders.connectors.held import Held, host_name, only_machine
from responders.connectors.protocol import Kind
from responders.connectors.web_api import WebApi, opened

_WORD = r"^[A-Za-z0-9_-]{1,60}$"


class Wazuh(Section):
    """script: in active-response/bin of the agents, called with `add` to isolate and `delete` to release; group: of agents
    that are isolated, made once by the administrator."""

    kind: Literal["wazuh"]
    url: str
    user: str
    password: Secret
    script: str = Field(default="hinomi-isolate", pattern=_WORD)
    group: str = Field(default="hinomi-isolated", pattern=_WORD)
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Responses:
    """See `held.Grip`."""

    settings: Wazuh

    @contextmanager
    def session(self) -> Iterator[WebApi]:
        """A token for one errand."""
        own = self.settings
        with opened("Wazuh", own.url, own.ca) as api:
            said = api.call("POST", "/security/user/authenticate", auth=(own.user, own.password.reveal()))
            api.client.headers["Authorization"] = f"Bearer {said['data']['token']}"
            yield api

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The agent's id, where exactly one has the name."""
        short = host_name(value)
        found = self._agents(api, name=short)
        named = {str(one["id"]): one for one in found if str(one["name"]).lower() == short}
        agent = only_machine(value, list(named))
        if named[agent].get("status") != "active":
            raise DependencyDown(
                f"端末「{value}」の agent が応答していません。", f"the agent of {value} is not active"
            )
        return agent

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Whether it is in the group of those that are isolated."""
        found = self._agents(api, agents_list=target)
        return bool(found) and self.settings.group in (found[0].get("group") or [])

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Run the script, then note it: a crash in between runs it again, which changes nothing more."""
        self._run(api, target, "add")
        self._taken(api.call("PUT", f"/agents/{target}/group/{self.settings.group}"))

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Run the script to release, then take the note away."""
        self._run(api, target, "delete")
        self._taken(api.call("DELETE", f"/agents/{target}/group/{self.settings.group}"))

    def healthy(self, api: WebApi) -> None:
        """Reads one agent."""
        self._agents(api, limit="1")

    def _agents(self, api: WebApi, **query: str) -> list[dict[str, Any]]:
        return list(api.call("GET", "/agents", params=query).get("data", {}).get("affected_items") or [])

    def _run(self, api: WebApi, target: str, argument: str) -> None:
        body = {"command": f"!{self.settings.script}", "arguments": [argument], "alert": {"data": {}}}
        self._taken(api.call("PUT", "/active-response", params={"agents_list": target}, json=body))

    def _taken(self, said: dict[str, Any]) -> None:
        """Wazuh answers 200 with an error inside."""
        if said.get("error", 0):
            raise Refused(
                "Wazuh が操作を行いませんでした。", f"Wazuh did not do it: error {int(said['error'])}"
            )


KIND = Kind("wazuh", Wazuh, lambda own: Held(Responses(own)), frozenset({"endpoint.isolate"}))
