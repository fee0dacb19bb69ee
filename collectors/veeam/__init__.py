"""Veeam Backup & Replication: how its events are written."""
