"""ECS columns of a frame that holds one provider and event id."""

from functools import lru_cache

import polars as pl

from collectors.windows import applications, common, security, sysmon
from collectors.windows.event import Columns, Event, present
from collectors.windows.kinds import SECURITY_PROVIDER, SYSMON_PROVIDER
from collectors.windows.records import CODE, PROVIDER
from collectors.windows.subject import with_subject

_DONE = ("winlog.message", "flat.event_time", "flat.time_created", "flat.timestamp")
_KINDS = 256
"""Kinds of events, each with the names in its frame, whose expressions are kept. Senders choose names: there is a bound."""


def with_meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its ECS fields. What the event itself says wins over what a shipper made of it."""
    provider, code = frame[PROVIDER][0] or "", frame[CODE][0] or ""
    frame = frame.with_columns(_classic(Event(provider, code, frozenset(frame.columns))))
    done = frame.with_columns(_meant(Event(provider, code, frozenset(frame.columns))))
    return with_subject(done, provider).drop(_DONE, strict=False)


# Putting an event's expressions together costs as much as some hundred rows of them, and a block brings few kinds.
@lru_cache(_KINDS)
def _classic(event: Event) -> list[pl.Expr]:
    """The columns that classic, unnamed values have names for."""
    return [expr.alias(name) for name, expr in present(applications.classic_data(event)).items()]


@lru_cache(_KINDS)
def _meant(event: Event) -> list[pl.Expr]:
    """The ECS columns of an event."""
    special = present(_special(event))
    general = present({**common.columns(event), "@timestamp": common.timestamp(event)})
    if not _names_its_peer(event):
        general |= present(common.peer_in_message(event))
    wanted = {name: _strongest(name, event, special, general) for name in {**general, **special}}
    return [expr.alias(name) for name, expr in sorted(wanted.items())]


def _names_its_peer(event: Event) -> bool:
    """Whether a look into the message, which costs more than all the rest, can find no new address."""
    return event.provider == SYSMON_PROVIDER or (
        event.provider == SECURITY_PROVIDER and event.code in security.LOGONS
    )


def _special(event: Event) -> Columns:
    if event.provider == SECURITY_PROVIDER:
        return security.columns(event)
    if event.provider == SYSMON_PROVIDER:
        return sysmon.columns(event)
    if event.provider.startswith("MSSQL"):  # MSSQLSERVER or MSSQL$INSTANCE
        return applications.database(event)
    known = applications.PROVIDERS.get(event.provider)
    return known(event) if known else {}


def _strongest(name: str, event: Event, special: dict[str, pl.Expr], general: dict[str, pl.Expr]) -> pl.Expr:
    """The kind's own value, then the shipper's, then the general one; the kind table before any."""
    choices = [special[name]] if name in special else []
    overruled = name in {"event.action", "event.category", "event.type", "@timestamp", "event.code"}
    if name in general and overruled:
        return general[name]
    if name in event.columns:
        choices.append(pl.col(name))
    if name in general:
        choices.append(general[name])
    return choices[0] if len(choices) == 1 else _coalesced(choices)


def _coalesced(choices: list[pl.Expr]) -> pl.Expr:
    return pl.coalesce(choices)
