"""Playbooks: YAML in this folder, read by `playbook`, planned and run by `runs`."""
