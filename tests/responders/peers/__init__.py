"""Local servers that speak the documented protocol of what playbooks act on."""
