"""Several console processes on one port."""

import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from dashboards.settings import ConsoleSettings
from hinomi.errors import ConfigError
from ops.roles.console import shared
from ops.settings import Settings
from ops.up import children


def test_processes_share_a_port_and_nobody_else_takes_it() -> None:
    """Two processes of the console listen on the same port; a program that does not share is refused in words."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        probe.bind(("127.0.0.1", 0))
        chosen = ConsoleSettings(port=probe.getsockname()[1], processes=2)
        with shared(chosen) as one, shared(chosen) as two:
            one.listen()
            two.listen()
            socket.create_connection(("127.0.0.1", chosen.port), 5).close()
    with socket.socket() as alone:
        alone.bind(("127.0.0.1", 0))
        alone.listen()
        with pytest.raises(ConfigError, match="cannot listen"):
            shared(ConsoleSettings(port=alone.getsockname()[1], processes=2))


def test_each_process_has_a_name(tmp_path: Path) -> None:
    """The supervisor starts as many as the configuration says; several on a port of chance are refused."""
    made = children(tmp_path, None, Settings(console=ConsoleSettings(processes=3)), ["console"])
    assert [one.name for one in made] == ["console", "console-1", "console-2"]
    with pytest.raises(ValidationError, match="processes"):
        ConsoleSettings(port=0, processes=2)
