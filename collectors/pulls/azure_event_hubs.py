"""Azure Event Hubs: what diagnostic settings of Entra ID, subscriptions and Azure resources stream into a hub.

Facts: Microsoft Learn, "Use Event Hubs from Apache Kafka applications" (port 9093, SASL_SSL PLAIN, user name
$ConnectionString, password the connection string; Standard tier and above), "Recommended configurations for Apache Kafka
clients", "Stream Azure monitoring data to an event hub" (records, category). Needs the right Listen on the hub.
"""

import re
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from collectors.pulls.kafka import KafkaReader
from collectors.pulls.routes import OTHERS, Routes, of_others
from hinomi.errors import ConfigError
from hinomi.secret import Secret

CATEGORIES = {
    "*SignInLogs": "microsoft.entra",
    "AuditLogs": "microsoft.entra",
    "Risky*": "microsoft.entra",
    "*RiskEvents": "microsoft.entra",
    "ProvisioningLogs": "microsoft.entra",
    "MicrosoftGraphActivityLogs": "microsoft.entra",
    "AdvancedHunting-*": "microsoft.defender_xdr",
    "OperationalLogs": "microsoft.intune",
    "DeviceComplianceOrg": "microsoft.intune",
    "Devices": "microsoft.intune",
    "Administrative": "microsoft.azure_activity",
    "Policy": "microsoft.azure_activity",
    "Security": "microsoft.azure_activity",
    "ServiceHealth": "microsoft.azure_activity",
    "ResourceHealth": "microsoft.azure_activity",
    "Alert": "microsoft.azure_activity",
    "Autoscale": "microsoft.azure_activity",
    "Recommendation": "microsoft.azure_activity",
    "AuditEvent": "microsoft.key_vault",
    "MySqlAuditLogs": "microsoft.azure_mysql",
    "ApplicationGateway*": "microsoft.azure_web",
    "FrontDoor*": "microsoft.azure_web",
    "AzureFirewall*": "microsoft.azure_web",
    "AZFW*": "microsoft.azure_web",
    "StorageRead": "microsoft.azure_web",
    "StorageWrite": "microsoft.azure_web",
    "StorageDelete": "microsoft.azure_web",
}
"""Category, or a pattern of several, → the source that reads it; the first that fits."""
_ENTRA, _INTUNE = "microsoft.entra", "microsoft.intune"
_ACTIVITY = {"eventTimestamp", "eventDataId"}
"""Names of the activity log as its API writes it, without diagnostic settings and their category."""
_ENDPOINT = re.compile(r"^sb://([A-Za-z0-9.-]+)/?$")


class AzureEventHubs(KafkaReader):
    """`kind: azure_event_hubs`. connection_string: of a policy with the right Listen; hub: its name, where the string has
    no EntityPath; categories: `category` of a record, or a pattern such as `AdvancedHunting-*` → its format; others: the
    format of records of any other category, which keeps all their values (`source` where only that is written);
    brokers: instead of the namespace's own address, for a private endpoint."""

    kind: Literal["azure_event_hubs"]
    source: str = "microsoft.azure_activity"
    connection_string: Secret
    hub: str = Field(pattern=r"^[A-Za-z0-9._-]{1,256}$")
    group: str = Field(default="$Default", pattern=r"^[A-Za-z0-9$._-]{1,249}$")
    brokers: str | None = None
    envelope: bool = True
    categories: dict[str, str] = Field(default_factory=lambda: dict(CATEGORIES))
    others: str = OTHERS

    def address(self) -> str:
        """See `Pull.address`."""
        return self.brokers or f"event hub {self.hub}"

    def sources(self) -> set[str]:
        """See `Pull.sources`."""
        named = {*self.categories.values(), self._others}
        return named | {_INTUNE} if _ENTRA in named else named

    def source_of(self, record: Any) -> str:
        """See `KafkaReader.source_of`."""
        if not isinstance(record, dict):
            return ""
        category = record.get("category") or record.get("Category")
        if not isinstance(category, str):
            return "" if _ACTIVITY & record.keys() else self._others
        source = self._routes.of(category) or (_ENTRA if _is_entras(record) else self._others)
        return _INTUNE if source == _ENTRA and _is_intunes(record) else source

    @cached_property
    def _others(self) -> str:
        return of_others(self, self.others)

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self.categories)

    def read_topics(self) -> list[str]:
        """See `KafkaReader.read_topics`."""
        return [self.hub]

    def connection(self) -> dict[str, Any]:
        """See `KafkaReader.connection`."""
        told = self.connection_string.reveal()
        parts = dict(part.partition("=")[::2] for part in told.split(";") if part)
        endpoint = _ENDPOINT.match(parts.get("Endpoint", ""))
        if endpoint is None or not parts.get("SharedAccessKey"):
            raise ConfigError(
                f"「{self.connection_string.reference}」は Event Hubs の接続文字列(Endpoint=sb://…;…)ではありません。",
                f"{self.connection_string.reference} is not a connection string of Event Hubs (Endpoint=sb://…;…)",
            )
        return {
            "bootstrap.servers": self.brokers or f"{endpoint.group(1)}:9093",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "$ConnectionString",
            "sasl.password": told,
            "ssl.ca.location": str(self.ca) if self.ca else "probe",
            "metadata.max.age.ms": 180_000,
        }


def _is_intunes(record: dict[str, Any]) -> bool:
    """Whether it is of Intune's audit log, which has the category of Entra ID's."""
    return "AuditEventId" in (record.get("properties") or ())


def _is_entras(record: dict[str, Any]) -> bool:
    """Whether the resource is Entra ID or its Domain Services, whatever the category."""
    return "/providers/microsoft.aad" in str(record.get("resourceId")).lower()
