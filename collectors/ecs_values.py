"""The values that ECS allows in its four categorisation fields. Source: ECS 9.5, "Categorization fields"."""

ALLOWED: dict[str, frozenset[str]] = {
    "event.kind": frozenset(
        {"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"}
    ),
    "event.category": frozenset(
        {
            "api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam",
            "intrusion_detection", "library", "malware", "network", "package", "process", "registry",
            "session", "threat", "vulnerability", "web",
        }
    ),
    "event.type": frozenset(
        {
            "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device",
            "end", "error", "group", "indicator", "info", "installation", "protocol", "start", "user",
        }
    ),
    "event.outcome": frozenset({"failure", "success", "unknown"}),
}  # fmt: skip

EXPECTED: dict[str, frozenset[str]] = {
    "api": frozenset(
        {
            "access",
            "admin",
            "allowed",
            "change",
            "creation",
            "deletion",
            "denied",
            "end",
            "info",
            "start",
            "user",
        }
    ),
    "authentication": frozenset({"start", "end", "info"}),
    "configuration": frozenset({"access", "change", "creation", "deletion", "info"}),
    "database": frozenset({"access", "change", "info", "error"}),
    "driver": frozenset({"change", "end", "info", "start"}),
    "email": frozenset({"info"}),
    "file": frozenset({"access", "change", "creation", "deletion", "info"}),
    "host": frozenset({"access", "change", "end", "info", "start"}),
    "iam": frozenset({"admin", "change", "creation", "deletion", "group", "info", "user"}),
    "intrusion_detection": frozenset({"allowed", "denied", "info"}),
    "library": frozenset({"start"}),
    "malware": frozenset({"info"}),
    "network": frozenset({"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"}),
    "package": frozenset({"access", "change", "deletion", "info", "installation", "start"}),
    "process": frozenset({"access", "change", "end", "info", "start"}),
    "registry": frozenset({"access", "change", "creation", "deletion"}),
    "session": frozenset({"start", "end", "info"}),
    "threat": frozenset({"indicator"}),
    "vulnerability": frozenset({"info"}),
    "web": frozenset({"access", "error", "info"}),
}
"""The types that ECS expects of each category. Source: the same, "Expected event types for category …"."""
_PLAIN = ("info", "start", "access", "indicator")


def expected_types(categories: tuple[str, ...], types: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the types that some category expects; where none is left, the plainest that one does.

    A refused sign-in is a sign-in that began (`start`) and failed (`event.outcome`).
    """
    known = frozenset[str]().union(*(EXPECTED.get(category, frozenset()) for category in categories))
    kept = tuple(one for one in types if one in known)
    if kept or not known or not types:
        return kept or types
    if "authentication" in categories and set(types) & {"denied", "allowed"}:
        return ("start",)
    return next((one,) for one in _PLAIN if one in known)
