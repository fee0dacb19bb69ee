"""Whose an event, an alert or an incident is, where one tower watches several municipalities or departments.

The value is the tower's own word: it comes from the configuration (`organizations:`), never from a line. What a vendor
says of itself stays in ECS `organization.id` and `organization.name`, which a sender can write as it likes.
"""

FIELD = "hinomi.organization"
"""The column of events and signals. No value: nobody's, so that only those see it who see everything."""

ID = r"[a-z0-9][a-z0-9_-]{0,63}"
"""How an organisation is named in configuration and accounts."""

EVERY = "*"
"""In the mapping of a directory's groups: the person sees everything."""
