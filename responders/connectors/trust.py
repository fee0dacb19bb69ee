"""Whom a connector's TLS connection trusts: see `hinomi.trust`."""

from hinomi.trust import context

__all__ = ["context"]
