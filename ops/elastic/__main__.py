"""`python -m ops.elastic fetch|run`: a developer's own Elasticsearch (`make es`)."""

import signal
import sys
import threading
from pathlib import Path

import typer

from hinomi.errors import HinomiError
from ops.elastic import cluster, distribution

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def fetch(version: str = typer.Argument("8.19.8")) -> None:
    """Get the server from Maven Central, check it and keep it."""
    typer.echo(distribution.home(version))


@app.command()
def run(
    version: str = typer.Option("8.19.8", help="8.19.8, 9.1.0"),
    nodes: int = typer.Option(1, min=1, max=3),
    heap_mb: int = typer.Option(512, min=256),
    note: str = typer.Option("", help="file to say in how to reach it, for HINOMI_ELASTIC_AT"),
) -> None:
    """Start one node or three with TLS and users, say how to reach them, stop them at Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    found = cluster.start(version, nodes=nodes, heap_mb=heap_mb)
    reached = found.reached(found.folder)
    if note:
        found.note(Path(note))
    try:
        typer.echo("store:\n  kind: elasticsearch\n  elasticsearch:")
        typer.echo(
            f"    hosts: [{', '.join(reached['hosts'])}]\n    ca: {reached['ca']}\n    replicas: {min(nodes - 1, 1)}"
        )
        typer.echo(f"    user: {reached['user']}\n    password: {reached['password']}", nl=True)
        stop.wait()
    finally:
        found.stop()


def main() -> None:
    """The commands; an error is said in words."""
    try:
        app()
    except HinomiError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
