"""What the programs of the Internet Systems Consortium write."""
