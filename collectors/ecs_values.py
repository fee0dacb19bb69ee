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
