"""Mail as Gmail's log events tell of it: sender, recipients, subject, attachments, the server it came from.

Facts: Google, Admin SDK "Reports API: Gmail audit activity events" and "Schema for Gmail logs in BigQuery"
(`message_info` with `source`, `destination`, `connection_info`, `attachment`).
"""

from collections.abc import Mapping
from typing import Any

from collectors.google.parameters import each_inside, inside, said
from collectors.records import Flat, first_address


def mail(given: Mapping[str, Any]) -> Flat:
    """email.* and the sending server of an event's parameters; nothing where it is about no message."""
    message = inside(given, "message_info")
    if not message:
        return {}
    sender, attached = inside(message, "source"), each_inside(message, "attachment")
    first = attached[0] if attached else {}
    address = said(sender, "from_header_address", "address")
    to = [found for one in each_inside(message, "destination") if (found := said(one, "address"))]
    return {
        "email.from.address": [address] if address else None,
        "email.to.address": to,
        "email.subject": said(message, "subject"),
        "email.message_id": said(message, "rfc2822_message_id"),
        "source.ip": first_address(said(inside(message, "connection_info"), "client_ip"))[0],
        "file.name": said(first, "file_name"),
        "file.hash.sha256": said(first, "sha256"),
    }
