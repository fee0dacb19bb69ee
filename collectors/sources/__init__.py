"""One file a product; see `collectors.source`."""
