"""Juniper's logs."""
