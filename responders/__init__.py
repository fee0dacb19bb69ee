"""Signals in, people called, incidents kept, playbooks run."""
