"""BIND: names that a response policy zone answers with NXDOMAIN, changed by signed dynamic updates.

Facts: BIND 9 Administrator Reference Manual, "Response Policy Zones": the trigger `name.ZONE CNAME .` gives NXDOMAIN, `*.name`
covers what is below; a policy is read again when the zone's serial grows (an update sees to that) and not more often than
`min-update-interval` (60 s unless set); nsupdate(1): commands on standard input, exit 2 for an update that was refused. The
zone allows updates to one TSIG key (`update-policy { grant hinomi zonesub ANY; }`): no file, no rndc, no other zone.

The question that verifies asks for recursion: seen with BIND 9.18.49, the policy is not applied to one that does not, and a name that
is listed is answered as if it were not. Until BIND has taken the policy up (`min-update-interval 0`: at once) that question can
leave it; afterwards it does only where `qname-wait-recurse no` is missing, as then does the question of every client. What a policy
answers has the SOA of the policy zone in its additional section (`add-soa yes`, the default; seen with 9.18.49), which no answer from
the world has: without it, that there is no such name is not taken for what the policy does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from responders.connectors.commands import run
from responders.connectors.dns_question import CNAME, NO_SUCH_NAME, A, Reply, asked
from responders.connectors.listed import name_of, settles
from responders.connectors.protocol import Done, Kind


class BindRpz(Section):
    """zone: the policy zone; key: a file as tsig-keygen writes it; server, port: where it is changed and asked."""

    kind: Literal["bind_rpz"]
    key: Path
    zone: str = Field(default="rpz", pattern=r"^[a-z0-9][a-z0-9.-]{0,200}$")
    server: str = Field(default="127.0.0.1", pattern=r"^[0-9a-f.:]{2,45}$")
    port: int = Field(default=53, ge=1, le=65535)
    nsupdate: str = "nsupdate"


@dataclass(frozen=True, slots=True)
class Policy:
    """`dns.sinkhole` with {name}."""

    settings: BindRpz

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether the name is in the zone already."""
        name = name_of(values)
        if self._listed(name):
            return Done(f"{name} は既に引けません。", f"{name} is sinkholed already", changed=False)
        return Done(f"{name} を引けなくします。", f"sinkhole {name}")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Whether the name is in the zone."""
        return {"listed": self._listed(name_of(values))}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Add the name and what is below it."""
        name = name_of(values)
        if self._listed(name):
            return Done(f"{name} は既に引けませんでした。", f"{name} was sinkholed already", changed=False)
        self._update("add", name, " 60 CNAME .")
        return Done(f"{name} を引けなくしました。", f"sinkholed {name}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether BIND answers so by this policy: it takes it up a moment after the update. Raises DependencyDown where there is no such
        name and nothing says that the policy is why."""
        name = name_of(values)
        if not self._listed(name):
            return False
        if settles(lambda: self._denied(name)):
            return True
        said = self._ask(name)
        if said is not None and said.code == NO_SUCH_NAME:
            raise DependencyDown(
                f"{name} は引けませんが、ゾーン {self.settings.zone} による答えと分かりません(もとからない名前か、add-soa no です)。",
                f"{name} does not resolve, but not by zone {self.settings.zone}: nobody has it, or add-soa is no",
            )
        return False

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take the name out, unless it was there before."""
        name = name_of(values)
        if before.get("listed"):
            return Done(f"{name} はもともと引けませんでした。", f"{name} had been sinkholed", changed=False)
        if self._listed(name):
            self._update("delete", name, " CNAME")
        return Done(f"{name} を引けるようにしました。", f"{name} resolves again")

    def health(self) -> str:
        """The zone answers, and its key may change it: an update that changes nothing."""
        try:
            self._listed("health.hinomi.invalid")
            self._update("delete", "health.hinomi.invalid", " CNAME")
        except HinomiError as error:
            return error.ja
        return ""

    def _ask(self, name: str, kind: int = A) -> Reply | None:
        return asked(self.settings.server, self.settings.port, name, kind)

    def _denied(self, name: str) -> bool:
        said = self._ask(name)
        return said is not None and said.code == NO_SUCH_NAME and self.settings.zone in said.policies

    def _listed(self, name: str) -> bool:
        own = self.settings
        said = self._ask(f"{name}.{own.zone}", CNAME)
        if said is None:
            raise DependencyDown("DNS が応答しません。", "the name server does not answer")
        if said.code not in (0, NO_SUCH_NAME):
            raise Refused(
                f"DNS がゾーン {own.zone} を見せません({said.code})。",
                f"the zone cannot be read: {said.code}",
            )
        return said.answers > 0

    def _update(self, what: str, name: str, rest: str) -> None:
        own = self.settings
        lines = [f"server {own.server} {own.port}", f"zone {own.zone}"]
        lines += [f"update {what} {prefix}{name}.{own.zone}.{rest}" for prefix in ("", "*.")]
        run(
            [own.nsupdate, "-k", str(own.key)],
            what="DNS",
            stdin="\n".join([*lines, "send", ""]),
            refused=(2,),
        )


KIND = Kind("bind_rpz", BindRpz, Policy, frozenset({"dns.sinkhole"}))
