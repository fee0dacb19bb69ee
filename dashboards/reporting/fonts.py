"""The fonts of a PDF: the kernel's."""

from hinomi.fonts import FAMILIES, fonts

__all__ = ["FAMILIES", "fonts"]
