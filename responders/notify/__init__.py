"""Calling people: messages, channels, delivery that happens once, acknowledgement."""
