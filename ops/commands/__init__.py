"""One file a command: `register(app)` adds it."""
