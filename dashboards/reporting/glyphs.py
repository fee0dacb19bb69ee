"""Which characters a font can draw: the kernel's."""

from hinomi.glyphs import coverage, drawable

__all__ = ["coverage", "drawable"]
