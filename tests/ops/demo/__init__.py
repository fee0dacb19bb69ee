"""The demo city and its attack."""
