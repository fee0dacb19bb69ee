"""What can go wrong, drawn as one tree.

HinomiError
├── InputError        something a person wrote or sent is not as expected
│   ├── ConfigError   a configuration file or key
│   ├── ContentError  a rule, playbook, source declaration or template
│   └── QueryError    a search expression
├── StoreError        the store could not do what was asked
│   ├── Conflict      a record changed since it was read
│   └── PartDamaged   a file of events is gone or is not what was written
├── Damaged           a record holds something other than its kind
├── AuditBroken       the audit log's end is not ours: nothing may be decided or done until it was looked at
├── SpoolFull         the spool is at its limit; the sender must wait
├── DependencyDown    a server that we need does not answer; retried by the caller
└── Refused           a person or policy does not allow it

Every message is Japanese first with English beside it, and names file, line and key where it has them.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a person's file: `hinomi.yaml:41: sources.fortigate.port`. Lines and columns count from 1."""

    file: Path | str | None = None
    line: int | None = None
    key: str | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [str(self.file)] if self.file is not None else []
        if self.line is not None:
            parts.append(str(self.line))
            parts += [str(self.column)] if self.column is not None else []
        place = ":".join(parts)
        if self.key:
            return f"{place}: {self.key}" if place else self.key
        return place


class HinomiError(Exception):
    """An error with an answer, in the user's words. `str()` is what a person reads."""

    exit_code = 1

    def __init__(self, ja: str, en: str, *, where: Where | None = None) -> None:
        super().__init__(ja, en)
        self.ja = ja
        self.en = en
        self.where = where

    def __str__(self) -> str:
        place = str(self.where) if self.where else ""
        key = self.where.key if self.where and self.where.key else ""
        first = f"{place}: {self.ja}" if place else self.ja
        second = f"({key}: {self.en})" if key else f"({self.en})"
        return f"{first}\n{second}"


class InputError(HinomiError):
    """Something a person wrote or sent is not as expected."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration file or key is wrong."""


class ContentError(InputError):
    """A rule, playbook, source declaration or template is wrong."""


class QueryError(InputError):
    """A search expression cannot be read."""


class StoreError(HinomiError):
    """The store could not do what was asked."""


class Conflict(StoreError):
    """A record changed since it was read; read it again and decide anew."""


class PartDamaged(StoreError):
    """A file of events is gone or is not what was written. behind: the token of `Events.since` that goes on behind it;
    events: how many it held."""

    behind: str = ""
    events: int = 0


class Damaged(HinomiError):
    """A record holds something other than its kind. No StoreError: the store answers, and whoever works on many records
    passes this one over (`hinomi.faults.readable`)."""


class AuditBroken(HinomiError):
    """The audit log cannot go on. No StoreError: people are called all the same."""


class SpoolFull(HinomiError):
    """The spool is at its limit; the sender must wait and send again."""


class DependencyDown(HinomiError):
    """A server that we need does not answer. after: seconds that it asked to be left alone, 0 where it said nothing."""

    def __init__(self, ja: str, en: str, *, where: Where | None = None, after: float = 0) -> None:
        super().__init__(ja, en, where=where)
        self.after = after


class Refused(HinomiError):
    """A person or a policy does not allow it."""

    exit_code = 3


class ManyErrors(InputError):
    """Several errors found in one reading, each shown on its own lines."""

    def __init__(self, errors: list[HinomiError]) -> None:
        first = errors[0]
        super().__init__(first.ja, first.en, where=first.where)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)
