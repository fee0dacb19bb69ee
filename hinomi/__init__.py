"""The kernel that every room of Hinomi stands on. It imports no room."""

__version__ = "0.1.0"
