"""The search language of Hinomi: small, KQL-like, the same in every store.

    user.name: t.yamada and event.outcome: failure
    source.ip: 10.30.0.0/16 and not destination.port: (53 or 443)
    event.action: ssl-login* or "certificate expired"
    http.response.status_code >= 500

`field: value` compares without regard to case, `*` is a wildcard in unquoted values (over numbers and times at
their end only: `44*`, `2026-11-20*`), `field: *` asks for any value, an address range is written as CIDR,
`< <= > >=` compare numbers and times, words without a field look into the raw line. `and`, `or`, `not` and
parentheses combine; words side by side mean `and`.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hinomi.errors import QueryError

Comparison = Literal["<", "<=", ">", ">="]
MAX_LENGTH = 8_000
MAX_DEPTH = 24
"""Conditions within one another. Elasticsearch takes 30 (`indices.query.bool.max_nested_depth`): of these one is around every
question, and one on a field can be three."""
_MOST_OPEN = 100
"""Parentheses within one another, and `not`: what reads them calls itself. Most need no depth: `((a and b) and c)`."""
_MAPPED = 96
"""Bits of IPv6 that stand before an IPv4 address."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Matches every event."""


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not the part (an event without the field matches `not field: x`)."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Is:
    """The field (any element of a list) equals the value; `*` in `value` is a wildcard if `wild`."""

    field: str
    value: str
    wild: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class Within:
    """The address lies in the network."""

    field: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Compare:
    """The number or time compares so with the value."""

    field: str
    sign: Comparison
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """The raw line holds the text, whatever its case."""

    value: str


Node = Everything | And | Or | Not | Is | Exists | Within | Compare | Text

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<open>\() | (?P<close>\))
    | (?P<sign><=|>=|<|>)
    | (?P<colon>:)
    | (?P<word>[^\s()":<>]+(?::[^\s()":<>]+)*(?=\s|[()<>:]|$)|[^\s()":<>]+)
    )""",
    re.VERBOSE,
)
_FIELD = re.compile(r"@?[A-Za-z_][\w.@\-]*$")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """The expression as a tree. Raises QueryError that names the column (from 1)."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"検索式が長すぎます(上限 {MAX_LENGTH} 文字)。", f"query is over {MAX_LENGTH} characters"
        )
    tokens = _tokens(text)
    if not tokens:
        return Everything()
    reader = _Reader(tokens, text)
    node = reader.any_of(0)
    if reader.peek() is not None:
        raise reader.error("「)」が多すぎます。", 'unexpected ")"')
    if _depth(node) > MAX_DEPTH:
        raise QueryError(
            f"検索式の条件の入れ子が深すぎます(上限 {MAX_DEPTH} 段)。",
            f"the query's conditions are nested more than {MAX_DEPTH} deep",
        )
    return node


def beside(query: str, term: str) -> str:
    """The query and the term, both of which must hold. Raises QueryError for a query that is none by itself, or is none any
    more with the term beside it: its parentheses would take the term in."""
    asked = parse(query)
    if isinstance(asked, Everything):
        return term
    both = f"({query}) and {term}"
    if parse(both) != every([asked, parse(term)]):
        raise QueryError("この検索式は使えません。", "this query cannot be used")
    return both


def fields_in(node: Node) -> set[str]:
    """The fields that an expression names."""
    match node:
        case And(parts) | Or(parts):
            return set().union(*map(fields_in, parts))
        case Not(part):
            return fields_in(part)
        case Is(field) | Exists(field) | Within(field) | Compare(field):
            return {field}
    return set()


def every(parts: Iterable[Node]) -> Node:
    """All of the parts (one at least), as conditions beside one another where there were some within one another."""
    flat = _flat(And, parts)
    return flat[0] if len(flat) == 1 else And(flat)


def some(parts: Iterable[Node]) -> Node:
    """Any of the parts (one at least), as `every`."""
    flat = _flat(Or, parts)
    return flat[0] if len(flat) == 1 else Or(flat)


def _flat(kind: type[And] | type[Or], parts: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(one for part in parts for one in (part.parts if isinstance(part, kind) else (part,)))


def _depth(node: Node) -> int:
    """How many conditions are within one another, without the one on a field."""
    match node:
        case And(parts) | Or(parts):
            return 1 + max(map(_depth, parts))
        case Not(part):
            return 1 + _depth(part)
    return 0


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text) and text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise QueryError(
                f"検索式の {column} 文字目の引用符が閉じていません。",
                f"quote at column {column} is not closed",
            )
        kind = str(match.lastgroup)
        found.extend(
            _split_word(match.group(kind), match.start(kind))
            if kind == "word"
            else [_Token(kind, match.group(kind), match.start(kind))]
        )
        at = match.end()
    return found


def _split_word(word: str, at: int) -> list[_Token]:
    """`field:value` written without a blank is three tokens; `12:30:00` or `fe80::1` after a colon is one."""
    head, colon, tail = word.partition(":")
    if colon and _FIELD.match(head):
        return [
            _Token("word", head, at),
            _Token("colon", ":", at + len(head)),
            _Token("word", tail, at + len(head) + 1),
        ]
    return [_Token("word", word, at)]


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0

    def peek(self, ahead: int = 0) -> _Token | None:
        index = self.at + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def take(self) -> _Token:
        token = self.peek()
        if token is None:
            raise self.error("検索式が途中で終わっています。", "the query ends too early")
        self.at += 1
        return token

    def error(self, ja: str, en: str) -> QueryError:
        token = self.peek()
        column = (token.at if token else len(self.text)) + 1
        return QueryError(f"検索式の {column} 文字目: {ja}", f"column {column}: {en}")

    def is_word(self, *texts: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "word" and token.text.lower() in texts

    def any_of(self, depth: int) -> Node:
        self.bound(depth)
        parts = [self.all_of(depth)]
        while self.is_word("or"):
            self.take()
            parts.append(self.all_of(depth))
        return some(parts)

    def all_of(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while (token := self.peek()) is not None and token.kind != "close" and not self.is_word("or"):
            if self.is_word("and"):
                self.take()
            parts.append(self.one(depth))
        return every(parts)

    def one(self, depth: int) -> Node:
        if self.is_word("not"):
            self.take()
            self.bound(depth)
            return _not(self.one(depth + 1))
        token = self.take()
        if token.kind == "open":
            node = self.any_of(depth + 1)
            self.close()
            return node
        if token.kind == "quoted":
            return Text(_unquote(token.text))
        if token.kind != "word":
            self.at -= 1
            raise self.error(f"「{token.text}」はここに書けません。", f'"{token.text}" is not expected here')
        following = self.peek()
        if following is not None and following.kind == "colon":
            self.take()
            return self.value_of(token.text, depth)
        if following is not None and following.kind == "sign":
            sign = self.take().text
            return Compare(token.text, _comparison(sign), self.plain_value())
        return Text(token.text)

    def bound(self, depth: int) -> None:
        if depth > _MOST_OPEN:
            raise self.error("かっこや not の入れ子が深すぎます。", "nested too deeply")

    def close(self) -> None:
        token = self.peek()
        if token is None or token.kind != "close":
            raise self.error("「)」がありません。", 'missing ")"')
        self.take()

    def plain_value(self) -> str:
        token = self.take()
        if token.kind == "quoted":
            return _unquote(token.text)
        if token.kind != "word":
            self.at -= 1
            raise self.error("値がありません。", "a value is missing")
        return token.text

    def value_of(self, field: str, depth: int) -> Node:
        self.bound(depth)
        token = self.peek()
        if token is not None and token.kind == "open":
            self.take()
            parts = [self.value_of(field, depth + 1)]
            while not (self.peek() is None or self.peek().kind == "close"):  # type: ignore[union-attr]
                if self.is_word("or"):
                    self.take()
                parts.append(self.value_of(field, depth + 1))
            self.close()
            return some(parts)
        if token is not None and token.kind == "quoted":
            return Is(field, _unquote(self.take().text))
        if token is not None and token.kind == "sign":
            sign = self.take().text
            return Compare(field, _comparison(sign), self.plain_value())
        self.no_range(field)
        return _value(field, self._joined())

    def no_range(self, field: str) -> None:
        """Ranges as Lucene writes them would be a value and two words of the raw line, which find nothing, or the wrong things."""
        first, second = self.peek(), self.peek(1)
        if first is not None and second is not None and first.text[:1] in ("[", "{") and second.text == "TO":
            raise self.error(
                f"範囲は「{field} >= 1 and {field} <= 9」のように書いてください。",
                f'write a range as "{field} >= 1 and {field} <= 9"',
            )

    def _joined(self) -> str:
        """A value that holds colons (an IPv6 address, a time) is written without blanks: join its parts."""
        first, second = self.peek(), self.peek(1)
        if first is not None and second is not None and first.kind == second.kind == "colon":
            self.take()
            text = ":"  # `::1`
        else:
            text = self.plain_value()
        while (token := self.peek()) is not None and token.kind == "colon" and self._touches(token):
            self.take()
            text += ":"
            following = self.peek()
            if following is not None and following.kind == "word" and self._touches(following):
                text += self.take().text
        return text

    def _touches(self, token: _Token) -> bool:
        return token.at > 0 and not self.text[token.at - 1].isspace()


def _comparison(sign: str) -> Comparison:
    for known in ("<=", ">=", "<", ">"):
        if sign == known:
            return known
    raise AssertionError(sign)


def _not(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


def _value(field: str, text: str) -> Node:
    if text == "*":
        return Exists(field)
    if "/" in text:
        try:
            return Within(field, _network(text))
        except ValueError:
            pass
    return Is(field, text, wild="*" in text)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network; of IPv4 addresses that are written as IPv6 (`::ffff:10.0.0.0/104`) that of these. Raises ValueError."""
    network = ipaddress.ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if network.version == 6 else None
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED))


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def quoted(value: str) -> str:
    """A value as the language takes it literally."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
