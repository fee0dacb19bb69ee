"""Loopback ports for what is started here and then told where to listen: a demo, a cluster, a test's server."""

import random
import socket
from contextlib import ExitStack

_ASKED_FOR = range(20_000, 30_000)
"""Below what the system gives by itself (Linux: 32768 and up, net.ipv4.ip_local_port_range): between our letting go of a
port and its server's taking it, no connection and no other server gets it by chance."""


def free_ports(n: int) -> list[int]:
    """TCP ports that were free a moment ago, all different. Raises OSError where fewer are free."""
    found: list[int] = []
    with ExitStack() as held:
        for port in random.SystemRandom().sample(_ASKED_FOR, len(_ASKED_FOR)):
            if len(found) == n:
                return found
            try:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:  # somebody has it
                continue
            found.append(port)
    raise OSError(f"fewer than {n} free ports from {_ASKED_FOR.start} to {_ASKED_FOR.stop - 1}")
