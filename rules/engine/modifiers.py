"""Sigma's encoding modifiers where pySigma falls short of the specification.

pySigma 1.5 has no `utf16le`, refuses `wide` and `utf16*` beyond ASCII, prepends the byte order mark of
UTF-16 as UTF-8, and counts characters where `base64offset` must count bytes. These replacements keep the
encoded bytes beside the text, so that a following base64 modifier encodes exactly them.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from sigma import modifiers
from sigma.exceptions import SigmaValueError
from sigma.types import (
    NoPlainConversionMixin,
    Placeholder,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaString,
    SigmaType,
)


class Encoded(SigmaString):
    """A string that stands for bytes. Compared as text, each byte is one character (Latin-1)."""

    encoded: bytes

    @classmethod
    def of(cls, data: bytes) -> "Encoded":
        """The string of these bytes."""
        made = cls()
        made.encoded = data
        made.original = data.decode("latin-1")
        made.s = [made.original]
        return made

    def __bytes__(self) -> bytes:
        return self.encoded


def _plain(value: SigmaString, source: Any) -> str:
    if value.contains_special() or value.contains_placeholder():
        raise SigmaValueError("Strings with wildcards or placeholders can't be encoded", source=source)
    return "".join(part for part in value.s if isinstance(part, str))


def _bytes(value: SigmaString, source: Any) -> bytes:
    text = _plain(value, source)
    return bytes(value) if isinstance(value, Encoded) else text.encode("utf-8")


class Utf16LittleEndian(modifiers.SigmaValueModifier[SigmaString, SigmaString]):
    """`utf16le` and `wide`."""

    codec: ClassVar[str] = "utf-16-le"
    mark: ClassVar[bytes] = b""

    def modify(self, val: SigmaString) -> SigmaString:
        """The value's UTF-16 bytes."""
        return Encoded.of(self.mark + _plain(val, self.source).encode(self.codec))


class Utf16BigEndian(Utf16LittleEndian):
    """`utf16be`."""

    codec: ClassVar[str] = "utf-16-be"


class Utf16(Utf16LittleEndian):
    """`utf16`: byte order mark FF FE, then little-endian."""

    mark: ClassVar[bytes] = b"\xff\xfe"


class Base64(modifiers.SigmaValueModifier[SigmaString, SigmaString]):
    """`base64`."""

    def modify(self, val: SigmaString) -> SigmaString:
        """The value's bytes in Base64."""
        return SigmaString.from_str(b64encode(_bytes(val, self.source)).decode())


class Base64Offset(modifiers.SigmaValueModifier[SigmaString, SigmaExpansion]):
    """`base64offset`: the part that is certain at each of the three alignments."""

    starts = (0, 2, 3)
    ends = (None, -3, -2)

    def modify(self, val: SigmaString) -> SigmaExpansion:
        """Three texts, any of which may be seen."""
        data = _bytes(val, self.source)
        return SigmaExpansion(
            [
                SigmaString.from_str(
                    b64encode(b" " * shift + data)[
                        self.starts[shift] : self.ends[(len(data) + shift) % 3]
                    ].decode()
                )
                for shift in range(3)
            ]
        )


class Windash(modifiers.SigmaValueModifier[SigmaString, SigmaExpansion]):
    """`windash`: a dash before a word, in every form that Windows takes for one."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        """Every combination. Raises SigmaValueError where these would be thousands."""
        marked = val.replace_with_placeholder(_DASH, "_windash")
        count = sum(isinstance(part, Placeholder) and part.name == "_windash" for part in marked.s)
        if count > _MOST_DASHES:
            raise SigmaValueError(f"windash over {count} dashes in one value", source=self.source)
        return SigmaExpansion(list(marked.replace_placeholders(_dashes)))


_DASH = re.compile(r"\B[-/–—―]\b")
_MOST_DASHES = 5


def _dashes(placeholder: Placeholder) -> Iterator[str | Placeholder]:
    yield from "-/–—―" if placeholder.name == "_windash" else [placeholder]


class CasedReference(SigmaFieldReference):
    """A reference to another field whose case counts."""


class Cased(modifiers.SigmaValueModifier[SigmaString | SigmaFieldReference, SigmaType]):
    """`cased`, also of field references."""

    def modify(self, val: SigmaString | SigmaFieldReference) -> SigmaType:
        """The value, case counting."""
        if isinstance(val, SigmaFieldReference):
            return CasedReference(val.field, val.starts_with, val.ends_with)
        return SigmaCasedString.from_sigma_string(val)


@dataclass
class PlacedNetwork(NoPlainConversionMixin, SigmaType):
    """A network that a placeholder names."""

    text: SigmaString


class Network(modifiers.SigmaValueModifier[SigmaString, SigmaType]):
    """`cidr`, also of placeholders (`expand`)."""

    def modify(self, val: SigmaString) -> SigmaType:
        """The network. Raises SigmaError where it is none."""
        if val.contains_placeholder():
            return PlacedNetwork(val)
        return SigmaCIDRExpression(str(val), source=self.source)


REPLACED: dict[str, type[modifiers.SigmaModifier[Any, Any]]] = {
    "utf16": Utf16,
    "utf16le": Utf16LittleEndian,
    "wide": Utf16LittleEndian,
    "utf16be": Utf16BigEndian,
    "base64": Base64,
    "base64offset": Base64Offset,
    "windash": Windash,
    "cased": Cased,
    "cidr": Network,
}


@contextmanager
def as_specified() -> Iterator[None]:
    """While inside, pySigma parses rules with these modifiers; afterwards it is as it was."""
    table = modifiers.modifier_mapping
    before = {name: table.get(name) for name in REPLACED}
    table.update(REPLACED)
    try:
        yield
    finally:
        for name, modifier in before.items():
            if modifier is None:
                del table[name]
            else:
                table[name] = modifier
