"""Bytes in, batches out: transports, spool, sources, enrichment, privacy."""
