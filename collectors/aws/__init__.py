"""Amazon Web Services: what its log sources share."""
