"""Whom a TLS connection that we open trusts."""

import ssl
from pathlib import Path

from hinomi.errors import ConfigError, Where


def context(ca: Path | None) -> ssl.SSLContext:
    """The system's authorities, or only the one whose certificate is in the PEM file. Raises ConfigError."""
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "認証局の証明書(PEM)を読めません。",
            f"the authority's certificate cannot be read: {error}",
            where=Where(ca),
        ) from error
