"""Keycloak login and admin events, from the server log as text, JSON (Quarkus) or ECS JSON, or as the events' own JSON.

Facts: Keycloak Server Administration Guide, "Auditing"; Server Guide, "Configuring logging";
`org.keycloak.events.EventType`. The event is `key="value"` (`key=value` before version 22) in the log's
message, written by the logger `org.keycloak.events`; what stands around it gives time, host and process.
The admin REST API and listeners that
write JSON give an event as an object (`EventRepresentation`, `AdminEventRepresentation`: `time` in milliseconds, `details`,
`authDetails`). A type that ends in `_ERROR` is a failure. Times of text logs have no zone: Japan's is taken.
"""

from collections.abc import Mapping

import polars as pl

from collectors import expressions as e
from collectors.shapes import either, inner, json_fields, key_value, renamed
from collectors.source import Raw, Source
from collectors.times import EPOCHS, ISO, parsed, zone

_OBJECT = r'^\s*\{.*"(?:realmId|authDetails)"\s*:'
_NAMES = {
    f"details.{name}": name for name in ("username", "redirect_uri", "auth_method", "code_id", "reason")
} | {f"authDetails.{name}": name for name in ("userId", "ipAddress", "clientId")}

source = Source(
    name="keycloak.events",
    title={"ja": "Keycloak（シングルサインオン・認証基盤）", "en": "Keycloak login and admin events"},
    zone_hint="cloud",
    shape=either(
        _OBJECT,
        renamed(json_fields(), _NAMES),
        inner("message", key_value(comma=True, needs=("type", "operationType"))),
    ),
    recognise=(
        r'org\.keycloak\.events\b.*\b(?:type|operationType)=\\?"?[A-Z_0-9]{3,}|^type="?[A-Z_]+"?, realmId='
        r'|^\s*\{.*"realmId"\s*:.*"(?:clientId|authDetails)"\s*:'
    ),
    rename={
        "realmId": "keycloak.realm.id",
        "realmName": "keycloak.realm.name",
        "clientId": "keycloak.client.id",
        "resourceType": "keycloak.admin.resource.type",
        "resourcePath": "keycloak.admin.resource.path",
        "operationType": "keycloak.admin.operation",
        "error": "event.reason",
        "redirect_uri": "url.original",
        "code_id": "keycloak.code_id",
        "outer.service.version": "service.version",
        "outer.service.environment": "service.environment",
    },
    leftovers="keycloak",
    ignore=(
        "type",
        "userId",
        "ipAddress",
        "outer.@timestamp",
        "outer.timestamp",
        "username",
        "time",
        "@timestamp",
    ),
    constants={"event.kind": "event", "event.provider": "keycloak", "service.type": "keycloak"},
)

_AUTHENTICATION = (
    "LOGIN|CODE_TO_TOKEN|CLIENT_LOGIN|REFRESH_TOKEN|INTROSPECT_TOKEN|TOKEN_EXCHANGE|IMPERSONATE|OAUTH2_\\w+|"
    "IDENTITY_PROVIDER_\\w*LOGIN|USER_INFO_REQUEST|VALIDATE_ACCESS_TOKEN|PERMISSION_TOKEN|AUTHREQID_TO_TOKEN|"
    "USER_SESSION_\\w+|USER_DISABLED_BY_\\w+"
)
_USERS = r"REGISTER|DELETE_ACCOUNT|UPDATE_\w+|REMOVE_\w+|RESET_PASSWORD|VERIFY_\w+|FEDERATED_\w+|GRANT_CONSENT|\w*IDENTITY_\w*LINK\w*"


def _line_time(raw: Raw) -> pl.Expr:
    """The time at the head of a text log's line."""
    head = raw["message"].str.extract(
        r"^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+\-]\d\d:?\d\d)?)"
    )
    return parsed(head, (ISO,), zone())


@source.derive
def around(raw: Raw) -> Mapping[str, pl.Expr]:
    """What the log says around the event, in ECS's, Quarkus's or no names."""
    names = ("outer.@timestamp", "outer.timestamp", "time", "@timestamp")
    stamps = [parsed(raw[name], (ISO, *EPOCHS), zone()) for name in names]
    header = (
        raw["header.timestamp"] if "header.timestamp" in raw else e.nothing().cast(pl.Datetime("ns", "UTC"))
    )
    return {
        "@timestamp": e.time_or(*stamps, _line_time(raw), header),
        "host.name": e.first(raw["outer.host.hostname"], raw["outer.hostName"], raw["header.host"]),
        "process.name": e.first(raw["outer.process.name"], raw["outer.processName"]),
        "process.pid": e.whole(e.first(raw["outer.process.pid"], raw["outer.processId"])),
        "log.level": e.first(raw["outer.log.level"], raw["outer.level"], raw["message"].str.extract(_LEVEL)),
    }


_LEVEL = r"^[\d\-T:.,+Z ]{10,40} +(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"


@source.derive
def who(raw: Raw) -> Mapping[str, pl.Expr]:
    """The person and the address; `null` says that there is none."""
    user = e.present(raw["userId"])
    return {
        "user.id": pl.when(user != "null").then(user),
        "user.name": e.present(raw["username"]),
        "source.ip": e.ip(raw["ipAddress"]),
        "client.ip": e.ip(raw["ipAddress"]),
        "user.target.id": raw["resourcePath"].str.extract(r"^users/([0-9A-Za-z\-]{8,})"),
        "user_agent.original": raw["user_agent"],
    }


@source.derive
def meaning(raw: Raw) -> Mapping[str, pl.Expr]:
    """event.* by the type of a login event, or by an admin event's operation and resource."""
    kind = raw["type"].str.strip_suffix("_ERROR")
    admin = raw["operationType"]
    failed = raw["type"].str.ends_with("_ERROR") | raw["error"].is_not_null()
    done = {"CREATE": "creation", "DELETE": "deletion", "UPDATE": "change", "ACTION": "change"}
    person = kind.str.contains(f"^(?:{_USERS})$") | raw["resourceType"].str.contains("USER|GROUP|ROLE")
    types = (
        pl.when(kind == "LOGIN").then(pl.lit("start"))
        .when(kind == "LOGOUT").then(pl.lit("end"))
        .when(kind == "REGISTER").then(pl.lit("creation"))
        .when(kind == "DELETE_ACCOUNT").then(pl.lit("deletion"))
        .when(kind.str.contains(f"^(?:{_USERS})$")).then(pl.lit("change"))
        .otherwise(e.first(e.mapped(admin, done), pl.lit("info")))
    )  # fmt: skip
    return {
        "event.code": e.first(raw["type"], admin),
        "event.action": e.first(raw["type"], admin).str.to_lowercase(),
        "event.outcome": pl.when(failed.fill_null(False)).then(pl.lit("failure")).otherwise(pl.lit("success")),
        "event.category": pl.when(kind == "LOGOUT").then(e.texts("authentication", "session"))
        .when(kind.str.contains(f"^(?:{_AUTHENTICATION})$")).then(e.texts("authentication"))
        .when(person).then(e.texts("iam"))
        .when(admin.is_not_null()).then(e.texts("configuration"))
        .otherwise(e.texts("authentication")),
        "event.type": pl.concat_list(types),
    }  # fmt: skip


@source.refine
def ours(frame: pl.DataFrame) -> pl.DataFrame:
    """What Keycloak wrote: a type in capitals and a realm or client, or the events' logger."""
    marks = [name for name in ("keycloak.realm.id", "keycloak.client.id") if name in frame.columns]
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in marks) if marks else pl.lit(False)
    return frame.filter(known & pl.col("event.code").str.contains("^[A-Z][A-Z0-9_]+$"))
