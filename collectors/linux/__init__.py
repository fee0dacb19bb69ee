"""What Linux's sign-in programs write."""
