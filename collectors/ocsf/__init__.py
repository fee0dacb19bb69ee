"""The Open Cybersecurity Schema Framework: its classes and objects as ECS."""
