"""WatchGuard Firebox."""
