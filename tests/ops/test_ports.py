"""Ports for servers that are started afterwards."""

import socket
from pathlib import Path

from ops.ports import free_ports


def test_nobody_else_is_given_a_port_that_was_chosen() -> None:
    """All different, free, and none that the system hands out by itself to a connection or to a server that asks for any."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(50)
    assert len(set(ports)) == 50 and max(ports) < lowest
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_that_is_held_is_not_chosen() -> None:
    """Of a thousand choices none is a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", free_ports(1)[0])) as held:
        assert held.getsockname()[1] not in {port for _ in range(20) for port in free_ports(50)}
