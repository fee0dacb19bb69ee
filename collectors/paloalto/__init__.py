"""Palo Alto Networks: PAN-OS firewalls, Panorama, Prisma Access, Cortex Data Lake."""
