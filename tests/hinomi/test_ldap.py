"""A connection to a directory leaves no socket behind, however it ends."""

import socket

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

from hinomi.ldap import opened


def _connection(port: int) -> ldap3.Connection:
    return ldap3.Connection(ldap3.Server(f"ldap://127.0.0.1:{port}", get_info=ldap3.NONE), receive_timeout=5)


def test_nothing_stays_open_where_nobody_answers() -> None:
    """ldap3 itself leaves that socket to the garbage collector: a warning that some later test is blamed for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen: refused
        connection = _connection(taken.getsockname()[1])
        with pytest.raises(LDAPException), opened(connection, starttls=False):
            pass
    assert connection.socket.fileno() == -1


def test_nothing_stays_open_where_the_block_fails() -> None:
    """Nor is the failure of the block hidden by one of closing: here the server is gone already."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = _connection(server.getsockname()[1])
        with pytest.raises(ZeroDivisionError), opened(connection, starttls=False):
            own = connection.socket
            server.accept()[0].close()
            1 / 0  # noqa: B018
    assert own.fileno() == -1
