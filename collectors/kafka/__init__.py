"""Reading Kafka, and what speaks like it."""
