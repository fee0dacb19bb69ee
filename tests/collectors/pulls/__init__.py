"""Pulls against local servers that behave as the vendors' documents tell."""
