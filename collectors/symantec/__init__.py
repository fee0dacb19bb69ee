"""Symantec Endpoint Protection: how its manager writes lines."""
