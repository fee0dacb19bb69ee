"""Loopback ports for what is started here and then told where to listen: a demo, a cluster, a test's server."""

import socket


def free_ports(n: int) -> list[int]:
    """TCP ports that were free a moment ago, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
