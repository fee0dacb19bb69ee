"""What names the event of which a line is one of several records, by product.

Apart from the sources, which load Polars: a hunt that cuts files must not have started its threads (`ops.hunt.starting`).
"""

AUDIT = r"\baudit\((\d{9,11}\.\d{3}:\d{1,20})\):"
"""Linux audit: seconds, milliseconds and serial."""
EVERY = (AUDIT,)
"""Those of all sources (`Source.event_of`)."""
