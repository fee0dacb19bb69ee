"""OpenVPN: the texts of its log."""
