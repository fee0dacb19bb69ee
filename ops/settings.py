"""The whole configuration: each room's section under one roof, and what every part has as default."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from collectors import times
from collectors.enrich import EnrichSettings
from collectors.indicators.settings import IndicatorSettings
from collectors.listeners import AnyListener
from collectors.organizations import OrganizationId, OrganizationSettings
from collectors.privacy import PrivacySettings
from collectors.pulls import AnyPull, findings
from collectors.rhythm import RhythmSettings
from collectors.settings import SpoolSettings, origins
from dashboards.settings import ConsoleSettings
from hinomi import config
from hinomi.config import Blaming, Section
from hinomi.errors import Refused
from hinomi.organization import EVERY
from hinomi.words import Language
from ops.feeds import Feed
from ops.folders import packs_folder
from ops.metrics import MetricsSettings
from ops.own_findings import OWN_FINDINGS
from ops.report_delivery import Delivery, mailbox
from ops.retention import RetentionSettings
from ops.shared_ports import wanted_twice
from ops.stores import StoreSettings
from responders.settings import ResponderSettings
from rules.in_force import InForce
from rules.settings import RulesSettings


class SourcesSettings(Section):
    """`sources:` folders with the city's own declared mappings (`*.source.yml`)."""

    folders: list[Path] = Field(default_factory=list)


class ReportsSettings(Section):
    """`reports:` daily_at: when the daily digest of the day before is written (JST), and the weekly, monthly and yearly reports
    where they are due; deliver: where what the clock made is brought; organizations: those that have reports of their own made
    beside the whole tower's, of what is theirs alone."""

    daily_at: str = Field(default="08:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    language: Language = "ja"
    deliver: list[Delivery] = Field(default_factory=list)
    organizations: list[OrganizationId] = Field(default_factory=list)

    @field_validator("organizations")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"「{'、'.join(twice)}」が二度あります。一度だけ書いてください。"
                f"|{', '.join(twice)} stands there twice; write it once"
            )
        return names

    @model_validator(mode="after")
    def _delivered_are_made(self) -> Self:
        for place in self.deliver:
            if place.organization and place.organization not in self.organizations:
                raise ValueError(
                    f"deliver の organization「{place.organization}」の報告書は作られません。organizations にも書いてください。"
                    f'|no reports of "{place.organization}" are made; name it under organizations, too'
                )
        return self


class Settings(Section):
    """hinomi.yaml. Every section has defaults; an empty file is a tower that listens to nothing.

    workers: pipeline processes, one lane of the spool each; timezone: of times in logs that name none.
    """

    workers: int = Field(default=1, ge=1, le=64)
    timezone: str = "Asia/Tokyo"
    listen: dict[str, AnyListener] = Field(default_factory=dict)
    pull: dict[str, AnyPull] = Field(default_factory=dict)
    rhythm: RhythmSettings = Field(default_factory=RhythmSettings)
    spool: SpoolSettings = Field(default_factory=SpoolSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    sources: SourcesSettings = Field(default_factory=SourcesSettings)
    enrich: EnrichSettings = Field(default_factory=EnrichSettings)
    indicators: IndicatorSettings = Field(default_factory=IndicatorSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    rules: RulesSettings = Field(default_factory=RulesSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    respond: ResponderSettings = Field(default_factory=ResponderSettings)
    reports: ReportsSettings = Field(default_factory=ReportsSettings)
    feeds: dict[str, Feed] = Field(default_factory=dict)
    organizations: dict[OrganizationId, OrganizationSettings] = Field(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _zone_there_is(cls, name: str) -> str:
        times.check(name)
        return name

    @model_validator(mode="after")
    def _ports_told_apart(self) -> Self:
        for key, other, port in wanted_twice(self.listen, {"console": self.console, "metrics": self.metrics}):
            raise Blaming(
                key,
                f"ポート {port} は {other} も使います。別の番号にしてください。",
                f"{other} has port {port}, too; give them different ones",
            )
        return self

    @model_validator(mode="after")
    def _names_told_apart(self) -> Self:
        pulled = [origin for name, pull in self.pull.items() for origin in pull.origins(name).values()]
        for name in pulled:
            if name in origins(self.listen) or pulled.count(name) > 1:
                raise ValueError(
                    f"「{name}」という名前が listen と pull に二度あります。別の名前にしてください。"
                    f'|"{name}" stands twice under listen and pull; give them different names'
                )
        return self

    @model_validator(mode="after")
    def _spool_can_take_the_largest(self) -> Self:
        least, name = self.spool.least_mib(self.listen, self.workers)
        if self.spool.max_mib < least:
            raise Blaming(
                "spool.max_mib",
                f"「{self.spool.max_mib}」では足りません。workers が {self.workers} のとき、listen.{name} の一度の受け取り"
                f"(max_message、max_body)が詰まらないためには {least} 以上が必要です。",
                f"{self.spool.max_mib} is too little: with {self.workers} workers it takes {least} for what listen.{name} may "
                "bring at once (max_message, max_body), or it would stall",
            )
        return self

    @model_validator(mode="after")
    def _reports_can_be_mailed(self) -> Self:
        for number, place in enumerate(self.reports.deliver):
            for person in place.mail:
                try:
                    mailbox(person, self.respond)
                except Refused as refused:
                    raise Blaming(f"reports.deliver.{number}.mail", refused.ja, refused.en) from None
        return self

    @model_validator(mode="after")
    def _organizations_told_apart(self) -> Self:
        known, owners = set(self.declared_sources()), dict[object, str]()
        for name, one in self.organizations.items():
            for origin in one.origins:
                if origin not in known:
                    raise Blaming(
                        f"organizations.{name}.origins",
                        f"「{origin}」という listen・pull・送り元はありません。",
                        f'there is no listener, pull or sender named "{origin}"',
                    )
            for thing in (*one.origins, *one.networks):
                if owners.setdefault(thing, name) != name:
                    raise Blaming(
                        f"organizations.{name}",
                        f"「{thing}」は「{owners[thing]}」のものでもあります。一つの組織だけに書いてください。",
                        f"{thing} also belongs to {owners[thing]}; name it in one organisation only",
                    )
        return self

    @model_validator(mode="after")
    def _named_organizations_are_there(self) -> Self:
        named = [("reports.organizations", name) for name in self.reports.organizations]
        for way, signing in (("ldap", self.console.ldap), ("oidc", self.console.oidc)):
            for group, names in (signing.organizations if signing else {}).items():
                named += [(f"console.{way}.organizations.{group}", name) for name in names if name != EVERY]
        for key, name in named:
            if name not in self.organizations:
                raise Blaming(
                    key,
                    f"「{name}」という組織は organizations にありません。",
                    f'"{name}" is not one of the organizations',
                )
        return self

    def declared_sources(self) -> dict[str, str]:
        """Origin → source name or `auto`."""
        pulled = {
            origin: source
            for name, pull in self.pull.items()
            for source, origin in pull.origins(name).items()
        }
        own = {findings.ORIGIN: findings.ORIGIN} if pulled else {}
        return pulled | own | {name: origin.source for name, origin in origins(self.listen).items()}

    def pulled_parts(self) -> dict[str, str]:
        """Origin of a format that a pull tells apart besides its own → the pull's name."""
        pulled = (
            (name, origin) for name, pull in self.pull.items() for origin in pull.origins(name).values()
        )
        return {origin: name for name, origin in pulled if origin != name}

    def expected_sources(self) -> dict[str, str]:
        """Those that speak all the time: not what Hinomi itself says where something is wrong, nor formats that a
        queue may bring besides its own."""
        silent = {*OWN_FINDINGS, *self.pulled_parts()}
        return {name: source for name, source in self.declared_sources().items() if name not in silent}

    def encodings(self) -> dict[str, str]:
        """Origin → text encoding."""
        return {name: origin.encoding for name, origin in origins(self.listen).items()}

    def rules_in_force(self, data: Path | None = None) -> InForce:
        """The rules in force; data: the data folder, which holds imported rules, exceptions and decisions."""
        return InForce.of(self.rules, packs_folder(), data)


def read_settings(path: Path | None) -> Settings:
    """The configuration of a file (None: all defaults). Raises ConfigError or ManyErrors."""
    return Settings() if path is None else config.load(path, Settings)
