"""Trend Micro products: what their CEF lines share."""
