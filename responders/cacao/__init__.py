"""CACAO Security Playbooks 2.0 (OASIS): playbooks out to other tools, and theirs in."""
