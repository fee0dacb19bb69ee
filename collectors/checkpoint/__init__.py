"""Check Point's logs."""
