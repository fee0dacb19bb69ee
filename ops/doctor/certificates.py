"""Do the certificates still hold? A sender whose peer's has ended goes silent, and nobody here is told why."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel

from hinomi.clock import JST, SystemClock
from hinomi.errors import ConfigError
from hinomi.served import Served
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from ops.settings import Settings

_PART = Part("証明書", "certificates")
_SOON = timedelta(days=30)
_OWN, _AUTHORITY = frozenset({"cert", "certificate", "tls_certificate"}), "ca"
"""Keys of settings that name a PEM file: of ours with what signed it, of whom a peer's must be from."""
_RENEW = Words(
    "新しい証明書に置き換え、hinomi up を起動し直してください。",
    "put a new one in its place and start hinomi up again",
)
_RENEW_SERVED = Words(
    "新しい証明書と鍵に置き換えてください。次の接続から使われ、起動し直す必要はありません。",
    "put a new certificate and key in their place; the next connection has them, no restart is needed",
)
_UNFIT = Words(
    "証明書と鍵を組で置き直してください。それまで、動いている火の見は前の証明書を使い続けます。",
    "put a certificate and its own key there; until then what runs goes on with the one before",
)
_READ = Words("ファイルと権限を確かめてください。", "check the file and its permissions")
_WITHIN_A_DAY = Words("24 時間以内", "within a day")
_CLOCK = Words("この機械の時計と証明書を確かめてください。", "check this machine's clock and the certificate")


def certificates(patient: Patient) -> Iterator[Check]:
    """Which have ended, or end within thirty days? Nothing is said where the configuration names none."""
    now, ends = SystemClock().now(), list[datetime]()
    pairs = {one.cert_at: one for one in served(patient.settings)}
    for key, path in named(patient.settings):
        try:
            held = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            yield _PART.bad(f"{key}: {path} を読めません。", f"{key}: {path} cannot be read", _READ)
            continue
        if key in pairs:
            yield from _unfit(pairs[key])
        # of a chain each must hold; of a bundle of authorities one that still does is enough
        choose = max if key.endswith(f".{_AUTHORITY}") else min
        end = choose(one.not_valid_after_utc for one in held)
        if choose(now - one.not_valid_before_utc for one in held) < timedelta(0):
            yield _PART.bad(
                f"{key}: {path} はまだ有効ではありません。", f"{key}: {path} is not valid yet", _CLOCK
            )
            continue
        ends.append(end)
        if end <= now + _SOON:
            yield _ending(key, path, end, now)
    if ends and min(ends) > now + _SOON:
        day = f"{min(ends).astimezone(JST):%Y-%m-%d}"
        yield _PART.good(
            f"{len(ends)} 個、いちばん早い期限は {day}。", f"{len(ends)}, the first ends on {day}"
        )


def served(settings: Settings) -> Iterator[Served]:
    """What listeners and the console show."""
    for name, listener in settings.listen.items():
        cert, key = getattr(listener, "cert", None), getattr(listener, "key", None)
        if cert is not None and key is not None:
            yield Served(cert, key, f"listen.{name}.cert")
    console = settings.console
    if console.tls_certificate is not None and console.tls_key is not None:
        yield Served(console.tls_certificate, console.tls_key, "console.tls_certificate")


def _unfit(pair: Served) -> Iterator[Check]:
    """A certificate and a key that cannot be used together. A key that is kept from who runs the doctor says nothing."""
    if pair.key.exists() and not os.access(pair.key, os.R_OK):
        return
    try:
        pair.read()
    except ConfigError as error:
        yield _PART.bad(f"{pair.cert_at}: {error.ja}", f"{pair.cert_at}: {error.en}", _UNFIT)


def _ending(key: str, path: Path, end: datetime, now: datetime) -> Check:
    at = f"{end.astimezone(JST):%Y-%m-%d %H:%M}"
    remedy = _RENEW_SERVED if key.startswith("listen.") or key == "console.tls_certificate" else _RENEW
    if end <= now:
        return _PART.bad(
            f"{key}: {path} は {at} に期限が切れました。", f"{key}: {path} ended on {at} (JST)", remedy
        )
    days = (end - now).days
    left = Words(f"あと {days} 日", f"in {days} day{'s' * (days > 1)}") if days else _WITHIN_A_DAY
    return _PART.warn(
        f"{key}: {path} の期限は {at}({left.ja})です。",
        f"{key}: {path} ends on {at} (JST), {left.en}",
        remedy,
    )


def named(settings: object, at: str = "") -> Iterator[tuple[str, Path]]:
    """(key as the configuration writes it, file) of each certificate below these settings."""
    if isinstance(settings, BaseModel):
        inner: Mapping[str, object] = dict(settings)
    elif isinstance(settings, Mapping):
        inner = {str(name): value for name, value in settings.items()}
    elif isinstance(settings, (list, tuple)):
        inner = {str(number): value for number, value in enumerate(settings)}
    else:
        return
    for name, value in inner.items():
        key = f"{at}.{name}" if at else name
        if isinstance(value, Path) and name in {*_OWN, _AUTHORITY}:
            yield key, value
        else:
            yield from named(value, key)
