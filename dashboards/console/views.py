"""Saved views: an address of the queue or the search under a name, one's own or everybody's."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import Response

from dashboards.console.visit import Visit
from hinomi.errors import InputError, Refused

KIND = "view"
_PAGES = ("/", "/search")
_MOST, _LONGEST = 50, 60


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as a page lists it."""

    id: str
    name: str
    address: str
    owner: str
    shared: bool
    mine: bool


def of(visit: Visit, page: str) -> list[View]:
    """The views of a page that the reader may use: their own and shared ones, by name."""
    found = (
        _view(record.id, record.body, visit.actor)
        for record in visit.console.records.find(KIND, {"page": page})
    )
    return sorted((one for one in found if one.mine or one.shared), key=lambda one: one.name)


def _view(identity: str, body: dict[str, object], actor: str) -> View:
    owner = str(body["owner"])
    return View(
        identity, str(body["name"]), str(body["address"]), owner, bool(body["shared"]), owner == actor
    )


def save(visit: Visit) -> Response:
    """Keep the address that the form names."""
    name, address = visit.form.get("name", "").strip(), visit.form.get("address", "")
    parts = urlsplit(address)
    if not name or len(name) > _LONGEST:
        raise InputError(
            f"名前を 1〜{_LONGEST} 字で入力してください。", f"a name has 1 to {_LONGEST} characters"
        )
    if parts.scheme or parts.netloc or parts.path not in _PAGES or len(address) > 4000:
        raise InputError("この画面は保存できません。", "this page cannot be saved as a view")
    if visit.console.records.count(KIND, {"owner": visit.actor}) >= _MOST:
        raise InputError(f"保存できるのは一人 {_MOST} 件までです。", f"at most {_MOST} views a person")
    kept = f"{parts.path}?{parts.query}" if parts.query else parts.path
    body = {
        "name": name,
        "address": kept,
        "page": parts.path,
        "owner": visit.actor,
        "shared": visit.form.get("shared") == "yes",
        "organizations": sorted(visit.console.scope or ()),  # what its owner could see when they wrote it
        "created": visit.console.clock.now().isoformat(),
    }
    visit.console.audit.append(
        actor=visit.actor, action="console.view_save", target=name, details={"address": kept}
    )
    visit.console.records.put(KIND, secrets.token_hex(8), body, expect=0)
    return visit.back_to(kept, "view_saved")


def remove(visit: Visit) -> Response:
    """Forget one of one's own."""
    identity = str(visit.request.path_params["view"])
    record = visit.console.records.get(KIND, identity)
    if record is None:
        raise InputError("この保存した表示はありません。", "there is no such view")
    if record.body["owner"] != visit.actor:
        raise Refused("ほかの人が保存した表示は消せません。", "only its owner removes a view")
    visit.console.records.delete(KIND, identity)
    return visit.to(str(record.body["page"]), done="view_removed")
