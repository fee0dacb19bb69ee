"""Google: what its log sources share."""
