"""Do the certificates still hold? A sender whose peer's has ended goes silent, and nobody here is told why."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel

from hinomi.clock import JST, SystemClock
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient

_PART = Part("証明書", "certificates")
_SOON = timedelta(days=30)
_OWN, _AUTHORITY = frozenset({"cert", "certificate", "tls_certificate"}), "ca"
"""Keys of settings that name a PEM file: of ours with what signed it, of whom a peer's must be from."""
_RENEW = Words(
    "新しい証明書に置き換え、hinomi up を起動し直してください。",
    "put a new one in its place and start hinomi up again",
)
_READ = Words("ファイルと権限を確かめてください。", "check the file and its permissions")
_WITHIN_A_DAY = Words("24 時間以内", "within a day")
_CLOCK = Words("この機械の時計と証明書を確かめてください。", "check this machine's clock and the certificate")


def certificates(patient: Patient) -> Iterator[Check]:
    """Which have ended, or end within thirty days? Nothing is said where the configuration names none."""
    now, ends = SystemClock().now(), list[datetime]()
    for key, path in named(patient.settings):
        try:
            held = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            yield _PART.bad(f"{key}: {path} を読めません。", f"{key}: {path} cannot be read", _READ)
            continue
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


def _ending(key: str, path: Path, end: datetime, now: datetime) -> Check:
    at = f"{end.astimezone(JST):%Y-%m-%d %H:%M}"
    if end <= now:
        return _PART.bad(
            f"{key}: {path} は {at} に期限が切れました。", f"{key}: {path} ended on {at} (JST)", _RENEW
        )
    days = (end - now).days
    left = Words(f"あと {days} 日", f"in {days} day{'s' * (days > 1)}") if days else _WITHIN_A_DAY
    return _PART.warn(
        f"{key}: {path} の期限は {at}({left.ja})です。",
        f"{key}: {path} ends on {at} (JST), {left.en}",
        _RENEW,
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
