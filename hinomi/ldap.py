"""A connection to a directory (LDAP) that ends with its block."""

from collections.abc import Iterator
from contextlib import contextmanager

import ldap3


@contextmanager
def opened(connection: ldap3.Connection, *, starttls: bool) -> Iterator[None]:
    """Open it, by TLS if starttls, and close its socket at the end. Raises LDAPException.

    ldap3 2.9 leaves the socket of a connection that could not be opened to the garbage collector, one more with each try while
    a directory is away. Nothing is sent at the end: an unbind that a dying server does not take would undo nothing, but would
    make what was done look as if it had failed.
    """
    try:
        connection.open()
        if starttls:
            connection.start_tls()
        yield
    finally:
        connection.strategy.close()
        if connection.socket is not None:
            connection.socket.close()
