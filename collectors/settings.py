"""Configuration of intake: the listeners under `listen:` and the spool."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hinomi.config import Section
from hinomi.secret import Secret

if TYPE_CHECKING:
    from collectors.transports.door import Door

MIB = 1 << 20
READ_AHEAD = 2 * MIB
"""Of one connection's messages; one piece of what the kernel has may come on top."""


class Kind(StrEnum):
    """How messages arrive."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"
    RELP = "relp"
    LUMBERJACK = "lumberjack"
    HTTP = "http"
    FILE = "file"
    FOLDER = "folder"


class Framing(StrEnum):
    """How a byte stream is cut into messages (RFC 6587); `auto` looks at each connection's first bytes."""

    AUTO = "auto"
    OCTET = "octet"
    NEWLINE = "newline"


class Encoding(StrEnum):
    """Text encodings of senders; `auto` guesses for the lines of each batch."""

    AUTO = "auto"
    UTF8 = "utf-8"
    CP932 = "cp932"
    EUC_JP = "euc-jp"
    ISO_2022_JP = "iso-2022-jp"


_ALIASES = {
    "shift_jis": Encoding.CP932,
    "shift-jis": Encoding.CP932,
    "sjis": Encoding.CP932,
    "windows-31j": Encoding.CP932,
    "utf8": Encoding.UTF8,
    "eucjp": Encoding.EUC_JP,
    "euc_jp": Encoding.EUC_JP,
    "jis": Encoding.ISO_2022_JP,
    "": Encoding.AUTO,
}


def encoding_named(name: str) -> Encoding:
    """The encoding that a configuration names. Raises ValueError, in both languages, for an unknown one."""
    key = name.strip().lower()
    try:
        return _ALIASES.get(key) or Encoding(key)
    except ValueError:
        known = ", ".join(Encoding)
        raise ValueError(
            f"「{name}」という文字コードは使えません(使えるもの: {known})。"
            f'|"{name}" is not one of the encodings {known}'
        ) from None


def _known_encoding(name: str) -> str:
    return encoding_named(name).value


EncodingName = Annotated[str, AfterValidator(_known_encoding)]


AUTO = "auto"
"""In place of a source's name: recognise it from the lines."""


def sources_named(text: str) -> list[str]:
    """The names in what `source:` says, in the order in which lines are tried."""
    return [name.strip() for name in text.split(",")]


def _one_or_several(value: object) -> object:
    """A list of names as one text. Raises ValueError, in both languages, for one that says nothing or a name twice."""
    if isinstance(value, str) and "," in value:
        value = sources_named(value)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    if not value or len(set(value)) < len(value):
        raise ValueError(
            "ソース名を、重ならないように一つ以上書いてください。|name one source or several, each once"
        )
    if AUTO in value[:-1]:
        raise ValueError("auto は最後にだけ書けます。|auto can only be the last")
    return ", ".join(value)


SourceNames = Annotated[str, BeforeValidator(_one_or_several)]


class Sender(Section):
    """One sender of an HTTP listener, told apart by its token or by the name in its path.

    Its origin is its key under `senders:`. token: None accepts the listener's own token.
    """

    token: Secret | None = None
    source: SourceNames = AUTO
    encoding: EncodingName = Encoding.AUTO


@dataclass(frozen=True, slots=True)
class Origin:
    """What is configured for one origin: the format's name (or `auto`) and the text encoding."""

    source: str
    encoding: str


class Listening(Section):
    """What every entry of `listen:` has; its key is the origin under which messages are spooled and counted.

    A kind of its own is one file in `collectors/listeners/`: its settings and `run`.
    """

    kind: str
    source: SourceNames = AUTO
    encoding: EncodingName = Encoding.AUTO
    max_message: int = Field(default=16 * MIB, ge=1024, le=64 * MIB)

    def origins(self, name: str) -> dict[str, Origin]:
        """Every origin that it spools under, its own last."""
        return {name: Origin(self.source, self.encoding)}

    def most_delivered(self) -> int:
        """Bytes that are spooled at once, at most: what was read ahead and the message that made it too much."""
        return self.max_message + READ_AHEAD

    async def run(self, door: "Door[Any]") -> None:
        """Listen until `door.stop`. Raises HinomiError or OSError where it cannot; it is then tried again."""
        raise NotImplementedError


class Listener(Listening):
    """One entry of `listen:`; its key is the origin under which messages are spooled and counted.

    source: name of the format, or `auto`, or a list of names that are tried in their order (`auto` only as the last);
    encoding: of text that is not UTF-8; max_message: bytes of one
    message, what is longer is cut and counted; cert, key: PEM files; ca: PEM file, clients must then show a
    certificate that it signed; max_body: bytes of one HTTP request after decompression; path: of `file`
    and `folder`; stall: seconds that half a message may wait for its other half.
    """

    kind: Kind
    address: str = "0.0.0.0"  # noqa: S104  # a collector listens to the city's network
    port: int = Field(default=0, ge=0, le=65535)
    source: SourceNames = AUTO
    encoding: EncodingName = Encoding.AUTO
    framing: Framing = Framing.AUTO
    max_message: int = Field(default=16 * MIB, ge=1024, le=64 * MIB)
    max_body: int = Field(default=32 * MIB, ge=1024, le=64 * MIB)
    max_connections: int = Field(default=1024, ge=1)
    stall: float = Field(default=60.0, gt=0)
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    token: Secret | None = None
    senders: dict[str, Sender] = Field(default_factory=dict)
    path: Path | None = None

    def origins(self, name: str) -> dict[str, Origin]:
        """See `Listening.origins`: a sender's name is an origin of its own."""
        own = {key: Origin(sender.source, sender.encoding) for key, sender in self.senders.items()}
        return {**own, **super().origins(name)}

    def most_delivered(self) -> int:
        """See `Listening.most_delivered`: of HTTP a whole request."""
        return self.max_body if self.kind == Kind.HTTP else super().most_delivered()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for problem in (self._path_problem(), self._tls_problem(), self._token_problem()):
            if problem:
                raise ValueError(problem)
        return self

    def _path_problem(self) -> str:
        if self.kind in (Kind.FILE, Kind.FOLDER) and self.path is None:
            return f"kind: {self.kind} には path が必要です。|kind: {self.kind} needs a path"
        return ""

    def _tls_problem(self) -> str:
        if self.kind == Kind.TLS and not self.cert:
            return "kind: tls には cert と key が必要です。|kind: tls needs cert and key"
        if bool(self.cert) != bool(self.key):
            return "cert と key は両方書いてください。|cert and key belong together"
        if self.ca and not self.cert:
            return "ca を使うには cert と key も必要です。|ca needs cert and key"
        return ""

    def _token_problem(self) -> str:
        if self.kind != Kind.HTTP:
            return "token と senders は kind: http だけで使えます。|token and senders are for kind: http" * (
                self.token is not None or bool(self.senders)
            )
        bare = not self.senders or any(sender.token is None for sender in self.senders.values())
        if self.token is None and bare and not _is_loopback(self.address):
            return (
                "トークンなしで受け付けられるのは自分自身(127.0.0.1)からだけです。token を書いてください。"
                "|without a token only loopback may send; set token"
            )
        return ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


class SpoolSettings(Section):
    """`spool:` of the configuration. max_mib: the bound on disk, over all sources; it must have room for the largest
    delivery of a listener in each lane (two a worker), and once more."""

    max_mib: int = Field(default=4096, ge=256)

    def least_mib(self, listeners: Mapping[str, "Listening"], workers: int) -> tuple[int, str]:
        """The least bound with which nothing can stall, and the listener that asks for it. The last segment of a lane stays
        when it is read, and is as large as the largest block in it: the next delivery must fit beside all of them."""
        name, most = max(
            ((name, one.most_delivered()) for name, one in listeners.items()),
            key=lambda pair: pair[1],
            default=("", 0),
        )
        return -(-most * (2 * workers + 1) // MIB), name


def origins(listeners: Mapping[str, Listening]) -> dict[str, Origin]:
    """Every origin that these listeners spool under. Of two with one name the listener wins over a sender."""
    found: dict[str, Origin] = {}
    for name, listener in listeners.items():
        found |= listener.origins(name)
    for name, listener in listeners.items():
        found[name] = Origin(listener.source, listener.encoding)
    return found
