"""Scripts that regenerate tables kept in the repository."""
