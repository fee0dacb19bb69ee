"""The certificate that a server of ours shows: read when it starts, and again once its files change.

A renewed certificate needs no restart: before each handshake the times and sizes of the files are looked at, which costs two or
three stat(2); what has changed is read, and where it cannot be used the one before stays.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from hinomi.errors import ConfigError, Where
from hinomi.named import why
from hinomi.renewed import Renewed
from hinomi.words import Words

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Served:
    """PEM files of one server. cert_at, ca_at: their keys in the configuration; ca: who must have signed a client's certificate,
    None where clients need none."""

    cert: Path
    key: Path
    cert_at: str
    ca: Path | None = None
    ca_at: str = ""

    def read(self) -> ssl.SSLContext:
        """A context of what the files hold now, TLS 1.2 or newer. Raises ConfigError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert, self.key, password=_no_password)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise _unusable(self.cert_at, (self.cert, self.key), error) from error
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except OSError as error:
                raise _unusable(self.ca_at, (self.ca,), error) from error
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def context(self) -> ssl.SSLContext:
        """A context for a server, which takes up what is put in the files' place. Raises ConfigError."""
        kept = Renewed([*self._files()], self.read, self._told)
        first = kept.now()

        def before_handshake(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            if (current := kept.now()) is not first:
                connection.context = current

        first.sni_callback = before_handshake  # called with every handshake, also where no name is asked for
        return first

    def _told(self, error: ConfigError | None) -> None:
        if error is None:
            log.info("certificate_renewed", key=self.cert_at, file=str(self.cert))
        else:
            log.error("certificate_not_renewed", key=self.cert_at, reason=str(error))

    def _files(self) -> Iterator[Path]:
        yield from (self.cert, self.key)
        if self.ca is not None:
            yield self.ca


def _no_password() -> str:
    """Nobody is there to be asked for one."""
    raise ValueError("encrypted")


def _unusable(at: str, files: tuple[Path, ...], error: Exception) -> ConfigError:
    said = _why(files, error)
    names = ", ".join(map(str, files))
    return ConfigError(
        f"証明書か鍵を読めません: {names}({said.ja})",
        f"certificate or key cannot be read: {names} ({said.en})",
        where=Where(key=at),
    )


def _why(files: tuple[Path, ...], error: Exception) -> Words:
    for path in files:
        try:
            path.open("rb").close()
        except OSError as refused:
            reason = why(refused)
            return Words(f"{path.name}: {reason.ja}", f"{path.name}: {reason.en}")
    if isinstance(error, ValueError):
        return Words("鍵がパスワードで守られています", "the key is protected by a password")
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return Words("証明書と鍵が組になっていません", "the certificate and the key do not belong together")
    return Words("PEM 形式として読めません", "it cannot be read as PEM")
