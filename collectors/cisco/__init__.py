"""Cisco ASA and Firepower Threat Defense: the texts of their messages and what they mean."""
