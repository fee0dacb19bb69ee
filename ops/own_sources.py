"""The option by which a command takes in the city's own declared mappings, as `sources.folders` does for the service."""

from pathlib import Path

import typer

OPTION: list[Path] = typer.Option(
    [],
    "--sources",
    exists=True,
    file_okay=False,
    help="市独自の対応表(*.source.yml)のフォルダ / a folder of the city's own mappings",
)
