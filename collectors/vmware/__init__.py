"""VMware vSphere: the texts of ESXi and vCenter logs."""
