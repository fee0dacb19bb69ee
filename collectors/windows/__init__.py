"""Windows events: the forms in which they arrive, and what each event id means in ECS."""
