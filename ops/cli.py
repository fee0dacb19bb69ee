"""Command line: grows with the rooms."""


def main() -> None:
    """Run a command."""
    print("hinomi")
