"""What the doctor says of certificates that end, have ended, or cannot be read."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hinomi.clock import SystemClock
from ops.doctor.certificates import certificates
from ops.doctor.finding import Check, Patient, State
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings


def _made(path: Path, *days: int, since: int = -400) -> Path:
    """A PEM file with a certificate for each: it ends so many days from now, and holds from `since` on; beside it their key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hinomi")])
    made = b""
    for end in days:
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + timedelta(days=since))
        builder = builder.not_valid_after(now + timedelta(days=end, hours=1))
        made += builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(made)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    written = key.private_bytes(serialization.Encoding.PEM, form, plain)
    for name in ("key.pem", "k.pem"):
        path.with_name(name).write_bytes(written)
    return path


def _told(tmp_path: Path, listener: dict[str, object], console: dict[str, object]) -> list[Check]:
    listen = {"fw": {"kind": "tls", "port": 0, "source": "auto", **listener}}
    settings = Settings.model_validate({"listen": listen, "console": console})
    role = Role("doctor", tmp_path, settings, RunDir.of(tmp_path))
    return list(certificates(Patient(tmp_path, settings, role.events(), role.records(), role.run)))


@pytest.mark.parametrize(
    ("ends", "state", "said"),
    [
        ((400,), State.GOOD, "いちばん早い期限は"),
        ((20,), State.WARN, "あと 20 日"),
        ((-1,), State.BAD, "期限が切れました"),
        ((400, 3), State.WARN, "あと 3 日"),  # what signed it, in the same file
    ],
)
def test_a_listener_s_certificate(tmp_path: Path, ends: tuple[int, ...], state: State, said: str) -> None:
    """Told thirty days before it ends, with its key in the configuration, its file and what to do."""
    cert = _made(tmp_path / "cert.pem", *ends)
    (check,) = _told(tmp_path, {"cert": cert, "key": tmp_path / "key.pem"}, {})
    assert (check.state, said in check.said.ja) == (state, True), check.said
    if state is not State.GOOD:
        assert f"listen.fw.cert: {cert}" in check.said.ja and "起動し直す必要はありません" in check.remedy.ja


def test_several_are_told_apart(tmp_path: Path) -> None:
    """Of a bundle of authorities one that holds is enough; a file that is no certificate and one that is not valid yet are named."""
    tls = {"cert": tmp_path / "none.pem", "key": tmp_path / "key.pem"}
    bundle = _made(tmp_path / "ca.pem", -100, 400)
    early = _made(tmp_path / "early.pem", 400, since=5)
    checks = _told(tmp_path, {**tls, "ca": bundle}, {"tls_certificate": early, "tls_key": tmp_path / "k.pem"})
    assert [check.said.en.partition(":")[0] for check in checks if check.state is State.BAD] == [
        "listen.fw.cert",
        "console.tls_certificate",
    ]
    assert not any("listen.fw.ca" in check.said.en for check in checks)
    [good] = [check for check in checks if check.state is State.GOOD]
    assert good.said.en.startswith("1, ")  # the bundle; what is not valid yet is not good as well


@pytest.mark.parametrize(
    ("days", "ja", "en"),
    [(2, "(あと 2 日)", "in 2 days"), (1, "(あと 1 日)", "in 1 day"), (0, "(24 時間以内)", "within a day")],
)
def test_how_long_it_still_holds(tmp_path: Path, days: int, ja: str, en: str) -> None:
    """In whole days, the last of them in words."""
    (check,) = _told(tmp_path, {"cert": _made(tmp_path / "c.pem", days), "key": tmp_path / "k.pem"}, {})
    assert ja in check.said.ja and check.said.en.endswith(f"(JST), {en}")


def test_without_certificates_nothing_is_said(tmp_path: Path) -> None:
    """A tower without TLS has no line about it."""
    assert _told(tmp_path, {"kind": "tcp"}, {}) == []


def test_a_key_that_is_not_the_certificate_s_is_told(tmp_path: Path) -> None:
    """Renewed by half, or mixed up: what runs goes on with the old one, and the next start would fail."""
    cert = _made(tmp_path / "cert.pem", 400)
    _made(tmp_path / "other.pem", 400)
    first, good = _told(tmp_path, {"cert": cert, "key": tmp_path / "key.pem"}, {})
    assert (first.state, good.state) == (State.BAD, State.GOOD)
    assert first.said.ja.startswith("listen.fw.cert: ") and "組になっていません" in first.said.ja
    missing = {"tls_certificate": cert, "tls_key": tmp_path / "gone.pem"}
    checks = _told(tmp_path, {"kind": "tcp"}, missing)
    assert "gone.pem: 見つかりません" in checks[0].said.ja
