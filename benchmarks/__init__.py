"""Benchmarks print ratios against a stated rival or limit. `python -m benchmarks [NAME …]`."""
