"""One file a channel: `send(settings, contact, message)`; raises DependencyDown when it could not."""
