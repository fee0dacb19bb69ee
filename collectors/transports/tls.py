"""TLS of listeners: the server's certificate, and the senders' where a CA is given."""

import ssl

from collectors.settings import Listener
from hinomi.errors import ConfigError, Where


def server_context(listener: Listener, name: str) -> ssl.SSLContext | None:
    """The TLS context of a listener, None for plain text. TLS 1.2 or newer; raises ConfigError."""
    if listener.cert is None or listener.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listener.cert, listener.key)
    except (OSError, ssl.SSLError) as error:
        raise _unreadable(f"listen.{name}.cert", f"{listener.cert}, {listener.key}", error) from error
    if listener.ca is not None:
        try:
            context.load_verify_locations(listener.ca)
        except (OSError, ssl.SSLError) as error:
            raise _unreadable(f"listen.{name}.ca", str(listener.ca), error) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _unreadable(key: str, files: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"証明書か鍵を読めません: {files}({error})",
        f"certificate or key cannot be read: {files} ({error})",
        where=Where(key=key),
    )
