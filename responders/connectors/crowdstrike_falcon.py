"""CrowdStrike Falcon: a machine is contained (it reaches only the Falcon cloud), and released.

Facts: CrowdStrike API documentation, Hosts: POST /oauth2/token; GET /devices/queries/devices/v1?filter=hostname:'…';
GET /devices/entities/devices/v2?ids=… (`status`: normal, containment_pending, contained, lift_containment_pending); POST
/devices/entities/devices-actions/v2?action_name=contain|lift_containment {"ids": […]}, 202. API client: Hosts read and write.
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


class CrowdStrike(Section):
    """url: of the region, such as https://api.crowdstrike.com. An API client with Hosts: read, write."""

    kind: Literal["crowdstrike"]
    url: str = "https://api.crowdstrike.com"
    client_id: str
    client_secret: Secret
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Falcon:
    """See `held.Grip`."""

    settings: CrowdStrike

    @contextmanager
    def session(self) -> Iterator[WebApi]:
        """A token for one errand."""
        own = self.settings
        with opened("CrowdStrike", own.url, own.ca) as api:
            bearer(
                api,
                "/oauth2/token",
                {"client_id": own.client_id, "client_secret": own.client_secret.reveal()},
            )
            yield api

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The device's id, where exactly one has the name."""
        short = host_name(value)
        found = api.call(
            "GET", "/devices/queries/devices/v1", params={"filter": f"hostname:'{short}'", "limit": "10"}
        )
        ids = [str(one) for one in found.get("resources") or []]
        named = [
            one
            for one in ids
            if str(self._device(api, one).get("hostname", "")).split(".")[0].lower() == short
        ]
        return only_machine(value, named)

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Contained, or about to be."""
        return self._device(api, target).get("status") in ("contained", "containment_pending")

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Contain it."""
        self._act(api, "contain", target)

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Lift the containment."""
        self._act(api, "lift_containment", target)

    def healthy(self, api: WebApi) -> None:
        """Reads one id."""
        api.call("GET", "/devices/queries/devices/v1", params={"limit": "1"})

    def _device(self, api: WebApi, target: str) -> dict[str, object]:
        found = api.call("GET", "/devices/entities/devices/v2", params={"ids": target}).get("resources") or [
            {}
        ]
        return dict(found[0])

    def _act(self, api: WebApi, name: str, target: str) -> None:
        path = "/devices/entities/devices-actions/v2"
        api.call("POST", path, params={"action_name": name}, json={"ids": [target]})


KIND = Kind("crowdstrike", CrowdStrike, lambda own: Held(Falcon(own)), frozenset({"endpoint.isolate"}))
