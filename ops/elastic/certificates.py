"""A certificate authority for one cluster's life, and a certificate a node: TLS on HTTP and between nodes."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAYS = 30


class Authority:
    """Signs node certificates; its own key is never written down."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed("Hinomi local cluster", self._key.public_key(), None)

    def write(self, folder: Path, name: str) -> None:
        """`ca.pem`, `node.pem` and `node.key` for a node of that name on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key.public_key(), self._certificate)
        folder.mkdir(parents=True, exist_ok=True)
        encoding = serialization.Encoding.PEM
        (folder / "ca.pem").write_bytes(self._certificate.public_bytes(encoding))
        (folder / "node.pem").write_bytes(certificate.public_bytes(encoding))
        path = folder / "node.key"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def _signed(
        self, name: str, key: ec.EllipticCurvePublicKey, issuer: x509.Certificate | None
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if issuer is not None:
            loopback = {"127.0.0.1", *([name] if name.startswith("127.") else [])}
            names = [x509.IPAddress(ipaddress.ip_address(one)) for one in sorted(loopback)]
            every = x509.SubjectAlternativeName([*names, x509.DNSName("localhost")])
            builder = builder.add_extension(every, critical=False)
        return builder.sign(self._key, hashes.SHA256())
