"""Short-lived certificates for TLS tests."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Key = ec.EllipticCurvePrivateKey


def make(folder: Path) -> dict[str, Path]:
    """PEM files `ca`, `cert`, `key` (server, 127.0.0.1), `client_cert`, `client_key`."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test CA", ca_key, None, ca_key)
    written = {"ca": _write(folder / "ca.pem", ca)}
    for prefix, name in (("", "127.0.0.1"), ("client_", "client.example.jp")):
        key = ec.generate_private_key(ec.SECP256R1())
        written[f"{prefix}cert"] = _write(folder / f"{prefix}cert.pem", _certificate(name, key, ca, ca_key))
        written[f"{prefix}key"] = _write(folder / f"{prefix}key.pem", key)
    return written


def _certificate(name: str, key: Key, issuer: x509.Certificate | None, issuer_key: Key) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _write(path: Path, item: x509.Certificate | Key) -> Path:
    if isinstance(item, x509.Certificate):
        path.write_bytes(item.public_bytes(serialization.Encoding.PEM))
    else:
        path.write_bytes(
            item.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return path
