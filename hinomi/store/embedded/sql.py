"""The search language as SQL over Parquet files: values are bound, names quoted, no text is glued in."""

import ipaddress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from hinomi import ecs, query
from hinomi.store import addresses, patterns, values
from hinomi.store.embedded import sieve

_SIDE = "list_filter(string_split(split_part(lower({{c}}), '::', {n}), ':'), lambda p: p <> '')"
_HEAD, _TAIL = _SIDE.format(n=1), _SIDE.format(n=2)
_GROUPS = "[0-9a-fA-F]{{1,4}}(:[0-9a-fA-F]{{1,4}})"
_WRITTEN = f"({_GROUPS}{{{{0,6}}}})?::({_GROUPS}{{{{0,6}}}})?|{_GROUPS}{{{{7}}}}"
_IPV6 = (  # 32 hex digits, so that text compares as numbers do; null for what is no IPv6 address
    f"(case when regexp_full_match({{c}}, '{_WRITTEN}') and (not contains({{c}}, '::') or len({_HEAD}) + len({_TAIL}) < 8)"
    " then array_to_string(list_transform(list_concat("
    f"{_HEAD}, list_transform(range(8 - len({_HEAD}) - len({_TAIL})), lambda n: '0'), {_TAIL}),"
    " lambda p: lpad(p, 4, '0')), '') end)"
)


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


_SIGN = f"chr({ord(ecs.BETWEEN)})"


def told(column: str, kind: str) -> str:
    """A value of this kind as text: a time by its milliseconds, in UTC, which is what Elasticsearch counts times by."""
    if kind.removesuffix("[]") == "date":
        return f"strftime(make_timestamp_ms(epoch_ns({column}) // 1000000), '%Y-%m-%dT%H:%M:%S.%gZ')"
    return f"cast({column} as varchar)"


def parts(column: str) -> str:
    """The values of a vendor's text, as a list."""
    return f"string_split({column}, {_SIGN})"


def each(column: str, name: str, kind: str) -> str | None:
    """The values of a column of this name and kind, as a list; None: it holds one at most."""
    if kind.endswith("[]"):
        return column
    return parts(column) if kind == "keyword" and ecs.several(name) else None


@dataclass(slots=True)
class Condition:
    """SQL text of a query over known columns, with its bound values.

    kinds: column → kind: `keyword`, `long`, `float`, `boolean`, `date`, with `[]` behind it for a list.
    """

    kinds: dict[str, str]
    values: list[Any] = field(default_factory=list)

    def sql(self, node: query.Node) -> str:
        """The condition of a node; never null, so that `not` means what it says."""
        match node:
            case query.Everything():
                return "true"
            case query.And(parts):
                return "(" + " and ".join(self.sql(part) for part in parts) + ")"
            case query.Or(parts):
                return "(" + " or ".join(self.sql(part) for part in parts) + ")"
            case query.Not(part):
                return f"(not {self.sql(part)})"
            case query.Text(value):
                return self._any_column(["event.original", "message"], value)
            case query.Exists(name):
                return f"({quoted(name)} is not null)" if name in self.kinds else "false"
            case query.Is(name, value, wild):
                return self._leaf(name, lambda column, kind: self._equals(name, column, kind, value, wild))
            case query.Within(name, network):
                return self._leaf(name, lambda column, kind: self._within(column, network))
            case query.Compare(name, sign, value):
                return self._leaf(name, lambda column, kind: self._compares(name, column, kind, sign, value))

    def _any_column(self, names: list[str], value: str) -> str:
        parts = [self._contains(quoted(name), value) for name in names if name in self.kinds]
        return "(" + " or ".join(parts) + ")" if parts else "false"

    def _contains(self, column: str, value: str) -> str:
        """Whether a text holds another, in letters of any case; most lines are told by signs as they stand."""
        if sieve.fixed(value) == value:
            self.values.append(value)
            return f"({column} is not null and contains({column}, ?))"
        needed = sieve.needed(value)
        self.values += [value, *chain(*needed), value]
        holds = f"coalesce(contains(lower({column}), lower(?)), false)"
        for forms in reversed(needed):
            # not `and`: DuckDB tries its parts in either order now and then, to see which is the quicker
            some = " or ".join([f"contains({column}, ?)"] * len(forms))
            holds = f"case when {some} then {holds} else false end"
        return f"(case when contains({column}, ?) then true else {holds} end)"

    def _leaf(self, name: str, make: Any) -> str:
        kind = self.kinds.get(name)
        if kind is None:
            return self._unknown(name, make)
        if kind.endswith("[]"):
            inner = make("x", kind[:-2])
            return f"coalesce(len(list_filter({quoted(name)}, lambda x: {inner})) > 0, false)"
        if ecs.several(name) and kind == "keyword":
            return f"coalesce({self._any_value(quoted(name), make)}, false)"
        return f"coalesce({make(quoted(name), kind)}, false)"

    def _unknown(self, name: str, make: Any) -> str:
        """No event has it: nothing matches. What could never be compared with such a field is refused all the same."""
        known = ecs.fields().get(name)
        kind, bound = known.kind if known and known.kind != "ip" else "keyword", len(self.values)
        make(quoted(name), kind)
        del self.values[bound:]
        return "false"

    @staticmethod
    def _any_value(column: str, make: Any) -> str:
        """Of a vendor's text: whether it is so, or any of the values that it is."""
        some = f"len(list_filter({parts(column)}, lambda x: {make('x', 'keyword')})) > 0"
        return f"(case when contains({column}, {_SIGN}) then {some} else {make(column, 'keyword')} end)"

    def _equals(self, name: str, column: str, kind: str, value: str, wild: bool) -> str:
        if kind == "date" and not wild:
            return self._compares(name, column, kind, "=", value)
        if kind in {"long", "float"} and not wild:
            return self._same(column, values.finite(value))
        if kind == "boolean" and not wild:
            return self._same(column, values.truth(value))
        if kind != "keyword":
            return self._pattern(name, column, kind, value)
        self.values.append(_like(value) if wild else value)
        return f"({column} ilike ? escape '\\')" if wild else f"(lower({column}) = lower(?))"

    def _same(self, column: str, value: float | bool | None) -> str:
        """Whether it is the value; what is none is in no event."""
        if value is None:
            return "false"
        self.values.append(value)
        return f"({column} = ?)"

    def _pattern(self, name: str, column: str, kind: str, value: str) -> str:
        """A pattern over what is no text. Raises QueryError where it stands for no ranges."""
        if kind == "long":
            ranges = patterns.numbers(name, value)
            self.values.extend(chain(*ranges))
            return "(" + " or ".join([f"{column} between ? and ?"] * len(ranges)) + ")" if ranges else "false"
        if kind == "date":
            self.values.extend(moment.isoformat() for moment in patterns.moments(name, value))
            moment = "cast(? as timestamptz_ns)"
            return f"({column} >= {moment} and {column} < {moment})"
        raise patterns.refused(name, value)

    def _within(self, column: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
        if network.version == 6:
            self.values.extend(
                [f"{int(network.network_address):032x}", f"{int(network.broadcast_address):032x}"]
            )
            return f"({_IPV6.format(c=_unzoned(column))} between ? and ?)"
        self.values.append(addresses.pattern(network))
        return f"regexp_full_match({column}, ?)"

    def _compares(self, name: str, column: str, kind: str, sign: str, value: str) -> str:
        if kind == "date":
            self.values.append(values.time(name, value).isoformat())
            return f"({column} {sign} cast(? as timestamptz_ns))"
        self.values.append(values.number(name, value))
        if kind in {"long", "float"}:
            return f"({column} {sign} ?)"
        number = f"try_cast({column} as double)"
        return f"({number} {sign} ? and isfinite({number}))"


def _unzoned(column: str) -> str:
    """An address without the machine's own name for the link that it is on (`fe80::1%eth0`)."""
    return f"split_part({column}, '%', 1)"


def _like(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")
