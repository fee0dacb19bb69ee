"""`console:` of the configuration: where the console listens and how long a sign-in lasts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from hinomi.config import Section
from hinomi.organization import EVERY
from hinomi.secret import Secret


def seen_by_groups(mapping: Mapping[str, Sequence[str]], groups: Collection[str]) -> list[str] | None:
    """Whose things members of these groups see: an empty list for everybody's, None where the mapping names none of the
    groups. mapping: group → organisations; an empty one means that the directory does not say."""
    found = {name for group, names in mapping.items() if group in groups for name in names}
    if EVERY in found:
        return []
    return sorted(found) or None


class LdapSignIn(Section):
    """`console.ldap`: sign-in with the directory's password. The bind account only needs to read.

    filter: added to the search for the account; roles: DN of a group → roles here, whoever is in none is refused;
    organizations: DN of a group → whose incidents and logs its members see (`"*"`: everybody's); where it is written,
    whoever is in none is refused.
    """

    url: str
    base: str
    bind_dn: str
    password: Secret
    account_attribute: str = "uid"
    name_attribute: str = "cn"
    filter: str = "(objectClass=*)"
    roles: dict[str, list[str]]
    organizations: dict[str, list[str]] = Field(default_factory=dict)
    starttls: bool = False
    ca: Path | None = None


class OidcSignIn(Section):
    """`console.oidc`: sign-in through an OpenID provider (Entra ID, Keycloak, …), code flow with PKCE.

    address: of this console as browsers reach it; roles: value of the groups claim → roles here; organizations: the same
    → whose incidents and logs its members see (`"*"`: everybody's); where it is written, whoever is in none is refused.
    """

    issuer: str
    client_id: str
    client_secret: Secret
    address: str
    title: str = "OpenID"
    scope: str = "openid profile email"
    account_claim: str = "preferred_username"
    groups_claim: str = "groups"
    roles: dict[str, list[str]]
    organizations: dict[str, list[str]] = Field(default_factory=dict)
    ca: Path | None = None


class TargetSettings(Section):
    """The office's own targets by grade (0–3): minutes until somebody takes an incident, hours until it is
    settled. 0: no target for this grade.
    """

    take_minutes: tuple[int, int, int, int] = (0, 240, 60, 15)
    settle_hours: tuple[int, int, int, int] = (0, 240, 72, 24)

    def take(self, grade: int) -> timedelta | None:
        """How soon somebody is to take it."""
        return timedelta(minutes=self.take_minutes[grade]) if self.take_minutes[grade] else None

    def settle(self, grade: int) -> timedelta | None:
        """How soon it is to be closed."""
        return timedelta(hours=self.settle_hours[grade]) if self.settle_hours[grade] else None


class ConsoleSettings(Section):
    """The web console. Without TLS it should listen on loopback only; `hinomi doctor` says so.

    organization: shown in the page head and in reports; idle_minutes: a session ends when nothing is
    asked for so long; session_hours: and after this time in any case; language: until a person chooses;
    second_factor: `required` leads whoever has none to setting one up first (an OpenID sign-in with two factors
    counts); residents: datasets whose raw lines name residents: a reason is asked for and recorded before they are
    shown, and counts for residents_minutes; processes: how many serve pages on the same port, for twenty people and
    more on a machine with cores to spare (each holds incidents and rules in memory).
    """

    address: str = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65535)
    processes: int = Field(default=1, ge=1, le=16)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=24)
    language: Literal["ja", "en"] = "ja"
    organization: str = ""
    page_size: int = Field(default=50, ge=10, le=500)
    targets: TargetSettings = Field(default_factory=TargetSettings)
    residents: list[str] = Field(
        default_factory=lambda: [
            "city.resident_view",
            "city.portal_application",
            "city.minutes_transcription",
        ]
    )
    second_factor: Literal["optional", "required"] = "optional"
    ldap: LdapSignIn | None = None
    oidc: OidcSignIn | None = None
    residents_minutes: int = Field(default=30, ge=1, le=480)

    @model_validator(mode="after")
    def _pair(self) -> "ConsoleSettings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError(
                "tls_certificate と tls_key は両方書いてください。|give tls_certificate and tls_key together"
            )
        if self.processes > 1 and not self.port:
            raise ValueError(
                "processes が2以上のときは port を決めてください。|several processes need a fixed port"
            )
        return self

    @property
    def tls(self) -> bool:
        """Whether the console itself speaks HTTPS."""
        return self.tls_certificate is not None

    @property
    def idle(self) -> timedelta:
        """A session's idle limit."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def longest(self) -> timedelta:
        """A session's absolute limit."""
        return timedelta(hours=self.session_hours)
