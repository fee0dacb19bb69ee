"""What contains: each connector acts, verifies, undoes and says whether it can; it knows no playbook."""
