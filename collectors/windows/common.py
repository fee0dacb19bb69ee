"""What every Windows event has in common: time, host, who, outcome."""

import polars as pl

from collectors.windows.event import Columns, Event, address, domain_of, name_of, number, port_of
from collectors.windows.forms import DATA
from collectors.windows.kinds import SYSMON_PROVIDER, kind_of
from hinomi.ecs import TIME

_PEER = (
    r"(?:(?:Client|Caller|Source Network) (?:IP|Address)|(?:クライアント|ソース ネットワーク) アドレス)"
    r"\s*:\s*(\[?[0-9A-Fa-f:.]+\]?(?::\d+)?)"
)
_SQL_CLIENT = r"\[(?:CLIENT|クライアント)\s*:\s*([0-9A-Fa-f:.]+)\]"
LOCAL = "Asia/Tokyo"
"""Flat forms write local time without an offset; the collectors that send here stand in Japan."""


def columns(event: Event) -> Columns:
    """ECS fields that do not depend on the kind of event, weaker than what the kind says."""
    return {
        **_kind(event),
        "event.code": pl.col("winlog.event_id"),
        "event.provider": pl.col("winlog.provider_name"),
        "event.outcome": outcome(event),
        "host.name": event.column("host.name", "winlog.computer_name"),
        "process.pid": _number(event.column("winlog.process.pid")),
        "process.thread.id": _number(event.column("winlog.process.thread.id")),
        "user.id": event.column("winlog.user.identifier"),
        "user.name": _either(
            name_of(event.column("winlog.user.name", *_account(event))), name_of(event.data(*_NAMES))
        ),
        "user.domain": _either(
            event.column("winlog.user.domain", *_account(event, "Domain")), event.data(*_DOMAINS)
        ),
        "source.ip": address(event.data(*_PEERS)),
        "log.level": event.column("log.level"),
        "message": event.column("winlog.message"),
    }


_NAMES = ("SubjectUserName", "UserName", "User", "Username", "UserID")
_DOMAINS = ("SubjectDomainName", "DomainName", "UserDomain")
_PEERS = (
    "IpAddress",
    "ClientIP",
    "ClientIPAddress",
    "ClientAddress",
    "SourceAddress",
    "Source",
    "Address",
    "IPString",
)
"""Event data that providers without a page of their own here use for who and from where."""


def _either(one: pl.Expr | None, other: pl.Expr | None) -> pl.Expr | None:
    found = [value for value in (one, other) if value is not None]
    return pl.coalesce(found) if found else None


def timestamp(event: Event) -> pl.Expr | None:
    """@timestamp: the event's own time, not the shipper's."""
    if event.provider == SYSMON_PROVIDER and "flat.event_time" in event.columns and event.has("UtcTime"):
        return pl.coalesce(_utc(pl.col(DATA + "UtcTime")), *_flat_times(event))
    times = _flat_times(event)
    if "@timestamp" not in event.columns:
        return pl.coalesce(times) if times else None
    if not times:
        return None
    # other forms of the same kind of event have their time there as text
    return pl.coalesce(pl.col("@timestamp"), pl.coalesce(times).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))


def _flat_times(event: Event) -> list[pl.Expr]:
    zoned = [_utc(pl.col(name)) for name in ("flat.timestamp", "flat.time_created") if name in event.columns]
    if "flat.event_time" not in event.columns:
        return zoned
    text = pl.col("flat.event_time").str.replace("T", " ").str.strip_chars()
    local = text.str.to_datetime(time_unit="ns", strict=False, format="%Y-%m-%d %H:%M:%S%.f")
    as_utc = local.dt.replace_time_zone(
        LOCAL, ambiguous="earliest", non_existent="null"
    ).dt.convert_time_zone("UTC")
    has_zone = text.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$")
    return [*zoned, pl.when(has_zone).then(_utc(pl.col("flat.event_time"))).otherwise(as_utc.cast(TIME))]


def _utc(text: pl.Expr) -> pl.Expr:
    """A time with an offset, or in UTC without one."""
    spaced = text.str.strip_chars().str.replace(" ", "T").str.replace(r"(?:Z|T?UTC)$", "+00:00")
    spaced = spaced.str.replace(r" ?([+-]\d\d):?(\d\d)$", "${1}:${2}")
    zoned = pl.when(spaced.str.contains(r"[+-]\d\d:?\d\d$")).then(spaced).otherwise(spaced + "+00:00")
    return zoned.str.to_datetime(
        time_unit="ns", time_zone="UTC", strict=False, format="%Y-%m-%dT%H:%M:%S%.f%:z"
    )


def _kind(event: Event) -> Columns:
    kind = kind_of(event.provider, event.code)
    if kind is None:
        return {"event.action": event.column("event.action", "winlog.task_name")}
    return {
        "event.action": pl.lit(kind.action),
        "event.category": pl.lit(list(kind.category), dtype=pl.List(pl.String)),
        "event.type": pl.lit(list(kind.type), dtype=pl.List(pl.String)),
    }


def outcome(event: Event) -> pl.Expr | None:
    """success or failure by the audit keywords: words, or bits 53 (success) and 52 (failure)."""
    words = [pl.col(name) for name in ("winlog.keywords", "winlog.event_type") if name in event.columns]
    if not words:
        return None
    text = pl.concat_str(words, separator=" ", ignore_nulls=True)
    failed = text.str.contains(r"(?i)audit[ _]failure|失敗の監査|0x80[14]0000000000000\b|-9218868437227")
    passed = text.str.contains(
        r"(?i)audit[ _]success|成功の監査|0x80[26]0000000000000\b|0x4020000000000000|-921436483760"
    )
    return pl.when(failed).then(pl.lit("failure")).when(passed).then(pl.lit("success"))


def _account(event: Event, part: str = "AccountName") -> tuple[str, ...]:
    """NXLog resolves the event's SID to AccountName and Domain; in Security events they are data."""
    return (DATA + part,) if "flat.event_time" in event.columns or event.has("AccountType") else ()


def _number(text: pl.Expr | None) -> pl.Expr | None:
    return None if text is None else number(text)


def peer_in_message(event: Event) -> Columns:
    """Providers that name the peer only in their message text."""
    text = event.column("winlog.message")
    if text is None:
        return {}
    told = pl.coalesce(text.str.extract(_PEER, 1), text.str.extract(_SQL_CLIENT, 1)).str.strip_chars_end(".")
    return {"source.ip": address(told), "source.port": port_of(told)}


def domain_and_name(account: pl.Expr | None) -> Columns:
    """`user.domain` and `user.name` of `DOM\\name`."""
    return {"user.domain": domain_of(account), "user.name": name_of(account)}
