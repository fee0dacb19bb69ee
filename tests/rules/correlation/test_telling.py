"""What of an alert's events the alert names: bounded, and only what is what its field says."""

import pytest

from hinomi.alert import Alert, Level
from rules.correlation.burst import VALUES, Burst
from rules.correlation.telling import alert
from rules.entry import Entry
from rules.meta import Meta

META = Meta("r", "r", "試し", "tried", Level.HIGH)
HASH = "AB" * 32


def told(*events: dict[str, str]) -> Alert:
    """The alert of these events, a second apart."""
    burst = Burst("a", 0, 0, "2026-11-20T00:00:00+00:00", 0)
    burst.take(Entry.made(at, f"e{at}", "r", "d", fields) for at, fields in enumerate(events))
    return alert(META, burst, "detection", ("", ""), {})


def test_mail_file_and_cloud_are_named() -> None:
    """As the events hold them, each once."""
    given = {
        "service.name": "PSEXESVC",
        "email.message_id": "<1.a@mail.example.net>",
        "file.hash.sha256": HASH,
        "cloud.instance.id": "i-1",
        "cloud.resource.id": "ocid1.instance.x",
    }
    assert told(given, given).entities == {name: [value] for name, value in given.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email.message_id", "4FGx1234"),  # the number of a queue
        ("email.message_id", "<a b@example.net>"),
        ("email.message_id", "<a@example.net>' or '1' eq '1"),
        ("email.message_id", "<a@example.net>\r\nBcc: x@example.net"),
        ("email.message_id", "<" + "a" * 1000 + "@example.net>"),
        ("file.hash.sha256", "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"),  # of a key
        ("file.hash.sha256", "d41d8cd98f00b204e9800998ecf8427e"),
        ("file.hash.sha256", "z" * 64),
    ],
)
def test_what_is_none_of_its_kind_is_not_named(name: str, value: str) -> None:
    """Nobody is asked to approve an act on it, and nothing is joined by it; the event stays in the evidence."""
    made = told({name: value, "host.name": "pc-1"})
    assert made.entities == {"host.name": ["pc-1"]} and made.event_ids == ["e0"]


def test_a_storm_names_no_more_than_its_bound() -> None:
    """A thousand messages: the first forty are named, all are counted."""
    made = told(*({"email.message_id": f"<{n}@example.net>"} for n in range(1000)))
    assert (len(made.entities["email.message_id"]), made.event_count) == (VALUES, 1000)


@pytest.mark.parametrize(
    ("zones", "segments"),
    [
        ({"source.zone": "telework", "destination.zone": "mynumber"}, ["mynumber"]),
        ({"source.zone": "lgwan", "destination.zone": "external"}, ["lgwan"]),
        ({"host.zone": "internet", "source.zone": "lgwan"}, ["internet"]),
        ({"source.zone": "external", "destination.zone": "external"}, None),
        ({"host.zone": "no interface; reload", "source.zone": "Trust"}, None),
        ({"client.zone": "lgwan"}, None),
    ],
)
def test_the_segment_is_the_zone_that_was_reached(zones: dict[str, str], segments: list[str] | None) -> None:
    """Of a connection where it went, else whence it came; of a log of a machine the machine's; none but the city's own zones."""
    assert told(zones).entities.get("network.name") == segments


def test_the_zone_of_the_machine_is_a_zone_of_the_alert() -> None:
    """A stick in a machine of the My Number segment: its reporting clock and its grade hang on the zone."""
    assert told({"host.name": "pc-1", "host.zone": "mynumber"}).zones == ["mynumber"]
