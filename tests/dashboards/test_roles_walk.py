"""Each role in a real Chromium: which pages it is led to, and that no page offers a form or a link that its reader may not use.

Who may do what is the route table (test_routes.py holds it against a list); here the pages are held against the table.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.routing import compile_path

from dashboards.console.access import Access
from dashboards.console.app import PAGES
from dashboards.console.rooms import ROOMS
from dashboards.users import ROLE_NAMES, Role, User
from tests.dashboards.city import PASSWORD, City
from tests.dashboards.lived_in import RESPONDING, lived_in
from tests.dashboards.serving import page_of, serving
from tests.dashboards.test_browser import telework
from tests.dashboards.test_looks import TAGS, axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("roles")]
WALKED = (
    Role.VIEWER,
    Role.ANALYST,
    Role.RESPONDER,
    Role.INFORMATION_SYSTEM_MANAGER,
    Role.ADMIN,
    Role.AUDITOR,
)
"""One of each reach: the other offices of the guideline may do what the information system manager may."""
PLACES = ("/incidents/1", "/incidents/5", "/rules/vpn_spray")
_OFFERED = """() => [
  ...[...document.forms].filter((one) => one.method !== "dialog")
    .map((one) => [one.method.toUpperCase(), new URL(one.getAttribute("action") || "", location.href).href]),
  ...[...document.querySelectorAll("[formaction]")].map((one) => ["POST", one.formAction]),
  ...[...document.querySelectorAll("a[href]")].map((one) => ["GET", new URL(one.getAttribute("href"), location.href).href]),
]"""
"""What a page offers, folds and menus included: method and address."""
_ROUTES = [(page, compile_path(page.path)[0]) for page in PAGES]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city in which there is work on every page, and somebody of each role."""
    city = lived_in(tmp_path_factory.mktemp("roles"), telework())
    for role in WALKED:
        city.users.create(
            f"x.{role.value.replace('_', '-')}", PASSWORD, [role], full_name=ROLE_NAMES[role].ja
        )
    yield city
    city.close()


@pytest.fixture(scope="module")
def address(lived: City) -> Iterator[str]:
    """Its console."""
    with serving(lived, telework(), responding=RESPONDING) as found:
        yield found


@pytest.mark.parametrize("role", WALKED)
def test_a_page_offers_what_its_reader_may_do(chromium: Any, lived: City, address: str, role: Role) -> None:
    """The head leads to the role's rooms and no other; each of them opens; axe finds nothing serious on an incident's page."""
    user = lived.users.find(f"x.{role.value.replace('_', '-')}")
    assert user is not None
    page, said = page_of(chromium.new_context(), address, user.name)
    rooms = [room for room in ROOMS if room.opens_to(user)]
    led = page.eval_on_selector_all(".rooms a", "all => all.map((one) => new URL(one.href).pathname)")
    assert led == [room.address for room in rooms if room.head]
    for place in [*(room.address for room in rooms), *PLACES]:
        assert page.goto(f"{address}{place}").status == 200, place
        offered = {
            (method, urlsplit(where).path)
            for method, where in page.evaluate(_OFFERED)
            if where.startswith(address)
        }
        assert not _forbidden(user, offered), place
        if place == PLACES[0]:
            page.evaluate(axe())
            found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
            assert not [one["id"] for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    assert said == []
    page.context.close()


def _forbidden(user: User, offered: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of what a page offers, what the route table would refuse this reader, or does not know."""
    refused = []
    for method, path in sorted(offered):
        page = next((page for page, form in _ROUTES if page.method == method and form.match(path)), None)
        known = (
            path.startswith(("/static/", "/api/"))
            if page is None
            else page.access is Access.OPEN or user.has(page.access.value)
        )
        if not known:
            refused.append((method, path))
    return refused


def test_a_form_that_is_not_the_readers_would_be_told(lived: City) -> None:
    """The walk sees what it is to see: a viewer offered a verdict, or anybody an address that is none."""
    viewer = lived.users.find("x.viewer")
    assert viewer is not None
    offered = {("POST", "/incidents/1/close"), ("GET", "/nowhere"), ("GET", "/"), ("POST", "/sign-out")}
    assert _forbidden(viewer, offered) == [("GET", "/nowhere"), ("POST", "/incidents/1/close")]
