"""How fast the pages are with much stored."""
