"""A notice page's addresses: what cannot be asked is refused when the configuration is read, not found out in the middle of a step."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from responders.connectors.maintenance_page import MaintenancePage, Pages

SITE = "www.city.example.jp"


def section(**sites: str) -> dict[str, object]:
    """A section with these sites."""
    login = {"host": "10.0.0.5", "user": "hinomi", "key": Path("key"), "known_hosts": Path("known")}
    return {"kind": "maintenance_page", **login, "sites": sites}


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5:8o80/",
        "http://10.0.0.5:99999/",
        "http://[::1/",
        "http://10.0.0.5/\x00",
        "ftp://10.0.0.5/",
        "http:///",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    """In words that name the site."""
    with pytest.raises(ValidationError, match=rf"{SITE}.*http://"):
        MaintenancePage.model_validate(section(**{SITE: url}))


def test_a_site_that_is_named_twice_is_refused() -> None:
    """In capitals and not: one of both would be gone without a word."""
    with pytest.raises(ValidationError, match="twice"):
        MaintenancePage.model_validate(section(**{SITE: "http://a/", SITE.upper(): "http://b/"}))
    kept = MaintenancePage.model_validate(section(**{SITE.upper(): "https://[::1]:8443/"}))
    assert kept.sites == {SITE: "https://[::1]:8443/"}


def test_an_address_that_turns_out_wrong_is_no_answer() -> None:
    """It ends neither the doctor's look nor a step."""
    given = section(**{SITE: "http://10.0.0.5:8o80/"})
    own = MaintenancePage.model_construct(None, **given)
    assert Pages(own)._status(SITE) is None
