"""The console as an API: what people do on its pages, for other systems, under /api/v1 with a token."""
