"""FortiGate: what its types, subtypes and actions mean in ECS."""
