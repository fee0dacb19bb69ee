"""Entra ID sign-ins as Azure diagnostic settings export them (SignInLogs, NonInteractiveUserSignInLogs).

Shape: Microsoft, Azure Monitor resource log schema and Entra sign-in log schema; UTC with seven digits.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import orjson

from ops.demo.city import GEO, OFFICE_EGRESS, TENANT, Person
from ops.demo.clockwork import MACHINES, MINUTE, OFFICE, SECOND, Routine, Stamp, Timed, guid, rhythm
from ops.demo.m365 import EDGE


class Device(NamedTuple):
    """What signs in: operating system, browser, user agent, client app, and whether the city manages it."""

    system: str
    browser: str
    agent: str
    client: str
    managed: bool


PC = Device("Windows10", "Edge 142.0.0", EDGE, "Browser", True)
PHONE = Device(
    "Ios 18.6",
    "Mobile Safari",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148",
    "Mobile Apps and Desktop clients",
    True,
)
STRANGER = Device("Windows10", "Edge 142.0.0", EDGE, "Browser", False)
_APPS = {
    "Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000",
    "Office 365 SharePoint Online": "00000003-0000-0ff1-ce00-000000000000",
    "Microsoft Teams": "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
    "Office365 Shell WCSS-Client": "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7",
}
_REFUSED = "Error validating credentials due to invalid username or password."
_CITIES = {"JP": ("Hinomi", "Tokyo"), "RO": ("Bucuresti", "Bucuresti"), "US": ("Seattle", "Washington")}


def _place(ip: str) -> dict[str, object]:
    prefix = ip.rsplit(".", 2)[0] if ip.startswith("198.1") else ip.rsplit(".", 1)[0]
    country, (latitude, longitude) = next(
        (code, point) for cidr, code, point in GEO if cidr.startswith(f"{prefix}.")
    )
    town, state = _CITIES[country]
    return {
        "city": town,
        "state": state,
        "countryOrRegion": country,
        "geoCoordinates": {"latitude": latitude, "longitude": longitude},
    }


def sign_in(
    stamp: Stamp,
    at: int,
    rng: Random,
    person: Person,
    ip: str,
    device: Device,
    app: str,
    *,
    error: int = 0,
    interactive: bool = True,
) -> Timed:
    """One sign-in. error: 0, or an AADSTS number such as 50126 (wrong password)."""
    time, correlation = f"{stamp.zulu(at)}0000", guid(rng)
    properties = {
        "id": guid(rng),
        "createdDateTime": f"{time}+00:00",
        **_who(person, ip, device, app),
        **_outcome(error, correlation),
        "isInteractive": interactive,
    }
    document = {
        "time": f"{time}Z",
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": "SignInLogs" if interactive else "NonInteractiveUserSignInLogs",
        "tenantId": TENANT,
        "resultType": str(error),
        "resultSignature": "None",
        **({"resultDescription": _REFUSED} if error else {}),
        "durationMs": 0,
        "callerIpAddress": ip,
        "correlationId": correlation,
        "identity": person.full_name,
        "Level": 4,
        "location": properties["location"]["countryOrRegion"],
        "properties": properties,
    }
    return Timed(at, orjson.dumps(document))


def _who(person: Person, ip: str, device: Device, app: str) -> dict[str, Any]:
    """Who signs in to what, from where, with which device."""
    return {
        "userDisplayName": person.full_name,
        "userPrincipalName": person.mail,
        "userId": person.object_id,
        "appId": _APPS[app],
        "appDisplayName": app,
        "resourceDisplayName": app,
        "ipAddress": ip,
        "clientAppUsed": device.client,
        "userAgent": device.agent,
        "deviceDetail": _device(device, person),
        "location": _place(ip),
        "tokenIssuerName": "",
        "tokenIssuerType": "AzureAD",
        "userType": "Member",
    }


def _outcome(error: int, correlation: str) -> dict[str, Any]:
    """How it went, and that Microsoft's risk engine (which the city has no licence for) says nothing."""
    reason = {"failureReason": _REFUSED} if error else {}
    return {
        "status": {"errorCode": error, **reason},
        "correlationId": correlation,
        "originalRequestId": correlation,
        "conditionalAccessStatus": "failure" if error else "success",
        "appliedConditionalAccessPolicies": [],
        "authenticationRequirement": "singleFactorAuthentication",
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
    }


def _device(device: Device, person: Person) -> dict[str, object]:
    detail: dict[str, object] = {
        "deviceId": "",
        "operatingSystem": device.system,
        "browser": device.browser,
    }
    if device.managed:
        detail |= {
            "deviceId": f"4f2b{person.number:04x}-9c1d-4e2f-8a7b-{person.number:012x}",
            "displayName": person.pc.upper() if device is PC else f"MOBILE-{person.number}",
            "isCompliant": True,
            "isManaged": True,
            "trustType": "Hybrid Azure AD joined" if device is PC else "Azure AD registered",
        }
    return detail


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day: about 6,000 sign-ins at scale 1."""
    stamp, apps = Stamp(routine.day), list(_APPS)
    for at in rhythm(rng, routine.day, 3_600 * scale, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            yield sign_in(stamp, at, rng, shift.person, OFFICE_EGRESS, PC, rng.choice(apps))
    people = [shift.person for shift in routine.shifts]
    for at in rhythm(rng, routine.day, 2_200 * scale, MACHINES):
        person = rng.choice(people)
        phone = routine.phones[person.account]
        yield sign_in(stamp, at, rng, person, phone, PHONE, apps[0], interactive=False)
    for tunnel in routine.tunnels:
        at = tunnel.start + 2 * MINUTE + int(rng.random() * 20 * MINUTE)
        yield sign_in(stamp, at, rng, tunnel.person, tunnel.home, PC, apps[0])
    yield from _slips(routine, stamp, rng)


def _slips(routine: Routine, stamp: Stamp, rng: Random) -> Iterator[Timed]:
    """Mistyped on the own telephone: behind the office's one address they would look like a spray."""
    shifts = {shift.person.account: shift for shift in routine.shifts}
    for slip in routine.slips_at("cloud"):
        person = slip.person
        start = shifts[person.account].arrive + int(rng.random() * 420 * MINUTE)
        for attempt in range(slip.count):
            at, phone = start + attempt * 20 * SECOND, routine.phones[person.account]
            app = "Office 365 Exchange Online"
            yield sign_in(stamp, at, rng, person, phone, PHONE, app, error=50126)
