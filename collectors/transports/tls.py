"""TLS of listeners: the server's certificate, and the senders' where a CA is given."""

import ssl

from collectors.settings import Listener
from hinomi.served import Served


def server_context(listener: Listener, name: str) -> ssl.SSLContext | None:
    """The TLS context of a listener, None for plain text. Raises ConfigError."""
    if listener.cert is None or listener.key is None:
        return None
    at = f"listen.{name}"
    return Served(listener.cert, listener.key, f"{at}.cert", listener.ca, f"{at}.ca").context()
