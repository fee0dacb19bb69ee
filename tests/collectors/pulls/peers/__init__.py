"""Services as their vendors' documents tell, written from those documents and not from our clients."""
