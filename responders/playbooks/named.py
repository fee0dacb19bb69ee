"""Whom and what a person names for a playbook: values by ECS field, which become the targets of its acts.

The tower picks targets from alerts with care (`planning.targets`); a person says each one, and whoever approves sees each.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from hinomi.errors import HinomiError, InputError
from hinomi.incident import Incident
from responders.playbooks.planning import few
from responders.playbooks.playbook import Playbook, catalogue
from responders.playbooks.step import OF_INCIDENT, walked

Named = Mapping[str, Sequence[str]]
MOST, LONGEST = 20, 300
"""Values of one field, and signs of one value."""
GIVEN = (
    "user.name",
    "host.name",
    "source.ip",
    "destination.ip",
    "email.message_id",
    "url.domain",
    "dns.question.name",
    "network.name",
    "cloud.resource.id",
)
"""What a person who reports something may know, in the order in which it is asked; every shipped playbook does with these."""
_BLANKS = "\u3000\u00a0"
"""Blanks that names have, of a department for example; Python calls them unprintable."""
_DOMAIN = re.compile(r"[^\s/:@?#]+")


@cache
def books(*folders: Path) -> Mapping[str, Playbook]:
    """The playbooks that can be started, read once a process, as the respond process does; one that cannot be read is left out
    (the doctor names it)."""
    problems: list[HinomiError] = []
    return catalogue(*folders, problems=problems)


def inputs(playbook: Playbook) -> list[str]:
    """The fields whose values its acts are done to; of the incident itself nobody says what it is."""
    used = dict.fromkeys(one.each or one.value for one in walked(playbook.steps))
    return [name for name in used if name not in ("", OF_INCIDENT)]


def asked_for(playbooks: Iterable[Playbook]) -> list[str]:
    """Every field that one of these uses, and what a person may know beside."""
    return list(dict.fromkeys([*GIVEN, *(name for one in playbooks for name in inputs(one))]))


def offered(incident: Incident, names: Iterable[str]) -> dict[str, list[str]]:
    """What the incident itself names of these fields, where it is few: never all victims of a spray."""
    return {name: held for name in names if few(name, held := incident.entities.get(name, []))}


def checked(given: Named, known: Sequence[str]) -> dict[str, list[str]]:
    """What a person named, trimmed, each once. Raises InputError for a field that is not known, too many values, and one that
    cannot be what it is said to be."""
    found: dict[str, list[str]] = {}
    for name, values in given.items():
        if name not in known:
            raise InputError(
                f"対象の項目「{name[:60]}」はありません。使えるもの: {', '.join(known)}",
                f'there is no field "{name[:60]}" for targets; there are: {", ".join(known)}',
            )
        kept = list(dict.fromkeys(filter(None, (value.strip() for value in values))))
        if len(kept) > MOST:
            raise InputError(f"{name} は {MOST} 個までです。", f"{name}: at most {MOST} values")
        for value in kept:
            _check(name, value)
        if kept:
            found[name] = kept
    return found


def is_target(name: str, value: str) -> bool:
    """Whether a value can be what the field says it is."""
    shown = all(sign.isprintable() or sign in _BLANKS for sign in value)
    return len(value) <= LONGEST and shown and value == value.strip() and _may_be(name, value)


def _check(name: str, value: str) -> None:
    if not is_target(name, value):
        raise InputError(
            f"「{value[:60]!r}」は {name} の値として使えません。",
            f"{value[:60]!r} cannot be a value of {name}",
        )


def _may_be(name: str, value: str) -> bool:
    if name in ("url.domain", "dns.question.name"):
        return _DOMAIN.fullmatch(value) is not None
    if not name.endswith(".ip"):
        return True
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    # one machine, one spelling: what protects 203.0.113.10 must not be passed by as ::ffff:203.0.113.10
    return isinstance(address, ipaddress.IPv4Address) or not (address.ipv4_mapped or address.scope_id)
