"""PAN-OS: an address is blocked by a tag on it, GlobalProtect sessions of a person are ended.

Facts: Palo Alto Networks, PAN-OS XML API: header `X-PAN-KEY`; type=user-id with a uid-message (register and unregister of a
tag on an address: dynamic address groups follow at once, nothing is committed); type=op for `show object registered-ip`,
`show global-protect-gateway current-user` (entries with domain, username, computer,
login-time-utc), `request global-protect-gateway
client-logout` (gateway as the firewall names it, with "-N" behind the configured name; user, domain where there is one,
computer, reason force-logout), answered by a response within the result; `<response status="success">`, errors as
status="error" with a code (403 for a role without the right): "Show and Manage GlobalProtect Users (API)",
docs.paloaltonetworks.com/ngfw/api/pan-os-xml-api-use-cases, and the PAN-OS and Panorama API usage guide 9.1, pages 30 and 31.
A deny rule over a dynamic address group with the tag is made once by the administrator. Role: XML API with User-ID Agent and
Operational Requests only.
"""

import ipaddress
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from pydantic import Field

from hinomi import identity
from hinomi.config import Section
from hinomi.errors import DependencyDown, Refused
from hinomi.secret import Secret
from responders.connectors.found import Divided, Found
from responders.connectors.held import Held
from responders.connectors.protocol import Kind
from responders.connectors.vpn_sessions import END, Momentary, account_of
from responders.connectors.web_api import WebApi, opened

_INSIDE = [ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
_MOST = 1_000_000
_BLOCK = "firewall.block_address"


class PanOs(Section):
    """key: of an administrator whose role allows the XML API's User-ID and operational requests; tag: that the dynamic
    address group of the deny rule matches; gateway: the GlobalProtect gateway."""

    kind: Literal["panos"]
    url: str
    key: Secret
    tag: str = Field(default="hinomi-block", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    gateway: str = Field(default="", pattern=r"^[A-Za-z0-9 ._-]{0,60}$")
    ca: Path | None = None


Session = tuple[str, str, str, str]
"""(domain, user as the gateway knows it, computer, since when: seconds since 1970)."""


def _opened(own: PanOs) -> AbstractContextManager[WebApi]:
    """With the key in the header: in the address it would be logged."""
    return opened("PAN-OS", own.url, own.ca, {"X-PAN-KEY": own.key.reveal()})


@dataclass(frozen=True, slots=True)
class Firewall:
    """`firewall.block_address`. See `held.Grip`. An address is its own id."""

    settings: PanOs

    def session(self) -> AbstractContextManager[WebApi]:
        """With the key."""
        return _opened(self.settings)

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The address, checked."""
        return _address(value)

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Whether the tag is on the address."""
        asked = f"<show><object><registered-ip><ip>{target}</ip></registered-ip></object></show>"
        found = _ask(api, type="op", cmd=asked)
        entries = [one for one in found.iter("entry") if one.get("ip") == target]
        return any(member.text == self.settings.tag for one in entries for member in one.iter("member"))

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Tag the address."""
        self._tag(api, "register", target)

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Take the tag off the address."""
        self._tag(api, "unregister", target)

    def healthy(self, api: WebApi) -> None:
        """Asks for an address that nobody has."""
        _ask(
            api,
            type="op",
            cmd="<show><object><registered-ip><ip>192.0.2.0</ip></registered-ip></object></show>",
        )

    def _tag(self, api: WebApi, what: str, address: str) -> None:
        member = f"<tag><member>{escape(self.settings.tag)}</member></tag>"
        payload = f"<payload><{what}><entry ip={quoteattr(address)}>{member}</entry></{what}></payload>"
        message = f"<uid-message><version>2.0</version><type>update</type>{payload}</uid-message>"
        _ask(api, type="user-id", cmd=message)


@dataclass(frozen=True, slots=True)
class Sessions(Momentary):
    """`firewall.end_vpn_session`: of GlobalProtect. See `found.Search`."""

    settings: PanOs

    def opened(self) -> AbstractContextManager[WebApi]:
        """With the key."""
        return _opened(self.settings)

    def find(self, api: WebApi, value: str) -> list[Session]:
        """The account's, under whichever domain."""
        account = account_of(value)
        asked = "<show><global-protect-gateway><current-user/></global-protect-gateway></show>"
        sessions = [
            (
                one.findtext("domain", ""),
                one.findtext("username", ""),
                one.findtext("computer", ""),
                one.findtext("login-time-utc", ""),
            )
            for one in _ask(api, type="op", cmd=asked).iter("entry")
        ]
        return [one for one in sessions if identity.account(one[1]) == account]

    def names(self, thing: Session) -> tuple[str, ...]:
        """By what it is ended, and since when it has been there: the person may connect anew from the same machine."""
        return (identity.digest(*thing),)

    def take(self, api: WebApi, things: Sequence[Session]) -> None:
        """End each."""
        for one in things:
            _ask(api, type="op", cmd=self._logout(*one[:3]))

    def healthy(self, api: WebApi) -> None:
        """Reads who is connected."""
        self.find(api, "nobody")

    def _logout(self, domain: str, user: str, computer: str) -> str:
        name = self.settings.gateway
        parts = {
            "gateway": name if not name or name.endswith("-N") else f"{name}-N",
            "user": user,
            "domain": domain,
            "computer": computer,
            "reason": "force-logout",
        }
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in parts.items() if value)
        return f"<request><global-protect-gateway><client-logout>{inner}</client-logout></global-protect-gateway></request>"


def _ask(api: WebApi, **form: str) -> ET.Element:
    answer = api.send("POST", "/api/", data=form).content
    if len(answer) > _MOST or b"<!DOCTYPE" in answer or b"<!ENTITY" in answer:
        raise DependencyDown("PAN-OS の応答を読めません。", "PAN-OS answered something that is not read")
    try:
        found = ET.fromstring(answer)  # noqa: S314  # no DTD: checked above
    except ET.ParseError:
        raise DependencyDown("PAN-OS の応答を読めません。", "PAN-OS answered no XML") from None
    refused = [one for one in found.iter("response") if one.get("status") != "success"]
    if refused:
        code = "".join(sign for sign in refused[0].get("code", "?") if sign.isalnum())[:8]
        raise Refused(f"PAN-OS が操作を断りました({code})。", f"PAN-OS refused: {code}")
    return found


def _address(value: str) -> str:
    """One address of the outside. Raises Refused for anything else."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise Refused("アドレスではありません。", "not an address") from None
    inside = any(address in network for network in _INSIDE if network.version == address.version)
    if (
        inside
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address.is_unspecified
    ):
        raise Refused(f"{address} は庁内のアドレスです。遮断しません。", f"{address} is an inside address")
    return str(address)


def _make(settings: PanOs) -> Divided:
    return Divided({_BLOCK: Held(Firewall(settings)), END: Found(Sessions(settings))})


KIND = Kind("panos", PanOs, _make, frozenset({_BLOCK, END}))
