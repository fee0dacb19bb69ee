"""What a reader of the console sees: every page of the route table in each state that it has, as a list.

The pictures under docs/looks are of this list (test_looks.py), and so is what axe-core reads there: a page
that is missing here fails a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dashboards import totp
from hinomi.clock import FixedClock
from responders.notify import links
from tests.dashboards.city import KEY, NOW, PASSWORD
from tests.dashboards.lived_in import APPROVED, STARTED, UNDECIDED

Does = Callable[[Any], None]


def _nothing(_: Any) -> None:
    """The page as it opens."""


def press(selector: str) -> Does:
    """A click on what the selector finds first."""
    return lambda page: page.locator(selector).first.click()


def follow(selector: str) -> Does:
    """A click that leads to another page, until that page is there."""

    def does(page: Any) -> None:
        with page.expect_navigation():
            page.locator(selector).first.click()

    return does


def _keys(page: Any) -> None:
    """The list of keys, once it is open."""
    page.keyboard.press("?")
    page.locator("#keys").wait_for(state="visible")


def filled(button: str, **fields: str) -> Does:
    """A form filled in by the ids of its fields, and sent."""

    def does(page: Any) -> None:
        for name, value in fields.items():
            page.fill(f"#{name.replace('_', '-')}", value)
        follow(button)(page)

    return does


def opened(page: Any) -> None:
    """Every fold of the page open, menus excepted."""
    page.evaluate(
        "document.querySelectorAll('main details:not(.menu, .save-view)').forEach(one => { one.open = true; })"
    )


def both(*parts: Does) -> Does:
    """One thing after the other."""

    def does(page: Any) -> None:
        for part in parts:
            part(page)

    return does


def _stale(page: Any) -> None:
    """A draft saved over a version that its writer has not seen."""
    page.evaluate("document.querySelector('[name=version]').value = '0'")
    page.locator("textarea").nth(1).fill("VPN")
    follow("form[action$='/edit'] button.primary")(page)


def _reported(page: Any) -> None:
    """Something told by hand, and then the page that waits for its number: it asks for itself anew every few seconds, and is here
    answered that nothing changed, so that it stands still while it is looked at."""
    filled("form[action='/incidents/open'] button", title="pc-0417", what="pc-0417")(page)
    page.route("**/reported/*", lambda route: route.fulfill(status=204))


def _code(page: Any) -> None:
    """The second factor of whoever is setting one up, typed from what the page shows."""
    secret = page.inner_text(".secret").replace(" ", "")
    page.fill("#factor-code", totp.code(secret, totp.step_of(FixedClock(NOW).now())))
    follow("form[action='/account/factor/confirm'] button")(page)


@dataclass(frozen=True, slots=True)
class Sight:
    """A page in a state. route: its line in the route table; address: where it is; who: signed in, "" for nobody; city: `lived`,
    or `bare`, where nothing has happened and automation is stopped; does: what is done there first; status: of the answer."""

    name: str
    route: str
    address: str
    who: str = "y.ota"
    city: str = "lived"
    does: Does = _nothing
    status: int = 200


def link(incident: str, nonce: str) -> str:
    """The address of the link by which m.kato acknowledges this incident."""
    return f"/a/{links.make(KEY, incident, 'm.kato', NOW, nonce)}"


DRAFT = """title: t.yamada
logsource:
  product: hinomi
  service: fortinet.fortigate
detection:
  s:
    user.name: t.yamada
  condition: s
"""
WRONG = DRAFT.replace("user.name:", "user.name|like:")
"""With a modifier that Sigma does not have."""
_INCIDENT = "/incidents/{number:int}"
_DUTY = "/incidents/{number:int}/duties/{duty}"
_TRIED = "form[action='/rules/try'] button"
_AROUND = both(press(".hit > summary"), follow(".hit .meta a"))
_TOKEN = filled("form[action='/account/token'] > button", token_name="SIEM", token_proof=PASSWORD)
_FACTOR = filled("form[action='/account/factor'] button", factor_proof=PASSWORD)
_CODE = filled("form[action='/sign-in'] button", account="f.niban", password=PASSWORD)
_WRONG_CODE = filled("form[action='/sign-in/code'] button", code="000000")
SIGHTS = (
    Sight("queue", "/", "/"),
    Sight("queue-all", "/", "/?view=all", "m.kato"),
    Sight("queue-chosen", "/", "/", "m.kato", does=press("[data-row] input[type=checkbox]")),
    Sight("queue-nothing-found", "/", "/?q=nothing-like-it", "a.kansa"),
    Sight("queue-empty", "/", "/", "m.kato", "bare"),
    Sight("incident", _INCIDENT, "/incidents/1"),
    Sight("incident-open", _INCIDENT, "/incidents/1", "k.mori", does=opened),
    Sight("incident-reader", _INCIDENT, "/incidents/1", "a.kansa"),
    Sight("incident-verdict", _INCIDENT, "/incidents/2?act=verdict", "m.kato"),
    Sight("incident-hostile", _INCIDENT, "/incidents/3"),
    Sight("incident-closed", _INCIDENT, "/incidents/5", "m.kato"),
    Sight("incident-by-hand", "/incidents/open", "/incidents/open", "m.kato"),
    Sight("incident-reported", "/reported/{report}", "/incidents/open", "m.kato", does=_reported),
    Sight("incident-unknown", _INCIDENT, "/incidents/999", status=400),
    Sight("report-draft", _DUTY, f"/incidents/1/duties/{STARTED}"),
    Sight("report-clash", _DUTY, f"/incidents/1/duties/{STARTED}", does=_stale),
    Sight("report-undecided", _DUTY, f"/incidents/1/duties/{UNDECIDED}"),
    Sight("report-approved", _DUTY, f"/incidents/1/duties/{APPROVED}", "m.kato"),
    Sight("search", "/search", "/search?range=all&q=user.name:+t.yamada&field=event.action"),
    Sight("search-hit", "/search", "/search?range=all&q=event.outcome:+failure", does=press(".hit > summary")),
    Sight("search-nothing", "/search", "/search?range=1h&q=user.name:+nobody", "a.kansa"),
    Sight("search-problem", "/search", "/search?q=user.name:+(", status=400),
    Sight("around", "/search/around", "/search?range=all&q=event.action:+tunnel-up", does=_AROUND),
    Sight("boards", "/boards", "/boards?board=telework&range=7d", "m.kato"),
    Sight("sources", "/sources", "/sources"),
    Sight("sources-open", "/sources", "/sources", "m.kato", does=opened),
    Sight("sources-empty", "/sources", "/sources", "m.kato", "bare"),
    Sight("rules", "/rules", "/rules", "m.kato"),
    Sight("rule", "/rules/{rule}", "/rules/vpn_spray"),
    Sight("rule-trial", "/rules", "/rules", "m.kato", does=both(opened, filled(_TRIED, draft=DRAFT))),
    Sight("rule-trial-wrong", "/rules", "/rules", "m.kato", does=both(opened, filled(_TRIED, draft=WRONG))),
    Sight("exceptions", "/exceptions", "/exceptions"),
    Sight("exceptions-empty", "/exceptions", "/exceptions", "m.kato", "bare"),
    Sight("exercises", "/exercises", "/exercises", "m.kato", does=opened),
    Sight("exercises-none", "/exercises", "/exercises", "a.kansa", "bare"),
    Sight("compliance", "/compliance", "/compliance"),
    Sight("compliance-control", "/compliance", "/compliance?state=gap", does=press(".control > summary")),
    Sight("summary", "/summary", "/summary"),
    Sight("summary-quiet", "/summary", "/summary", "y.ota", "bare"),
    Sight("reports", "/reports", "/reports"),
    Sight("reports-none", "/reports", "/reports", "a.kansa", "bare"),
    Sight("oncall", "/oncall", "/oncall", "m.kato"),
    Sight("oncall-open", "/oncall", "/oncall", "k.mori", does=opened),
    Sight("oncall-nobody", "/oncall", "/oncall", "a.kansa", "bare"),
    Sight("automation", "/automation", "/automation", "k.mori", does=opened),
    Sight("automation-stopped", "/automation", "/automation", "k.mori", "bare"),
    Sight("permits", "/permits", "/permits", "k.mori", does=opened),
    Sight("account", "/account", "/account"),
    Sight("account-factor", "/account", "/account", "a.kansa", does=_FACTOR),
    Sight("account-codes", "/account", "/account", "t.kensa", does=both(_FACTOR, _code)),
    Sight("account-token", "/account", "/account", "a.kansa", does=_TOKEN),
    Sight("users", "/admin/users", "/admin/users", "s.kanri"),
    Sight("users-change", "/admin/users", "/admin/users", "s.kanri", does=press("td details > summary")),
    Sight("audit", "/audit", "/audit", "t.kensa"),
    Sight("audit-verified", "/audit", "/audit?verify=yes&actor=m.kato", "s.kanri"),
    Sight("keys", "/help/keys", "/help/keys"),
    Sight("keys-dialog", "/", "/", "m.kato", does=_keys),
    Sight("menu", "/", "/", "a.kansa", does=press(".menu > summary")),
    Sight("sign-in", "/sign-in", "/sign-in", ""),
    Sight("sign-in-wrong", "/sign-in", "/sign-in", "", does=filled("form[action='/sign-in'] button", account="m.kato", password="x")),
    Sight("second-factor", "/sign-in/code", "/sign-in", "", does=_CODE),
    Sight("second-factor-wrong", "/sign-in/code", "/sign-in", "", does=both(_CODE, _WRONG_CODE)),
    Sight("acknowledge", "/a/{token}", link("inc-1", "n1"), ""),
    Sight("acknowledged", "/a/{token}", link("inc-3", "n2"), "", does=follow("form button.primary")),
    Sight("acknowledge-closed", "/a/{token}", link("inc-4", "n3"), ""),
    Sight("acknowledge-refused", "/a/{token}", "/a/made-up", "", status=403),
    Sight("error-forbidden", "/audit", "/audit", "m.kato", status=403),
    Sight("error-unknown", "", "/no-such-page", "m.kato", status=404),
)  # fmt: skip
"""Every page and state."""
NO_PAGE = {
    "/sign-in/oidc": "leads to the provider",
    "/sign-in/oidc/back": "leads on from the provider",
    "/search/complete": "completions, as JSON",
    "/search/sigma": "a file",
    "/search/export.csv": "a file",
    "/search/export.ndjson": "a file",
    "/live": "a stream of events",
    "/incidents/{number:int}/evidence.zip": "a file",
    "/incidents/{number:int}/duties/{duty}/file/{kind}": "a file",
    "/oncall/contacts.pdf": "a file",
    "/calendar/{token}": "a file",
    "/rules/attack-layer.json": "a file",
    "/reports/{name}": "a file, whose own look the tests of reports see to",
    "/healthz": "one word for machines",
}
"""What answers to GET and is no page, and what it is instead."""
