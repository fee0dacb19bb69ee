"""Batches in, signals and alerts out: the Sigma engine, correlations, baselines, and our own packs."""
