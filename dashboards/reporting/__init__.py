"""How reports are made: the document they are built from, its HTML and PDF, their hashes."""
