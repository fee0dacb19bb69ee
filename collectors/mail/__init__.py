"""Mail servers: the texts of their logs."""
