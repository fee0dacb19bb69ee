"""Users and roles, for the administrator: every change is audited, and nobody changes their own roles."""

import secrets

from starlette.responses import Response

from dashboards.console.clash import Clash, Field
from dashboards.console.visit import Visit
from dashboards.users import ROLE_NAMES, Role, User
from hinomi.errors import Conflict, InputError, Refused


def show(visit: Visit) -> Response:
    """Everybody, with roles, second factor and where the password is kept."""
    return _page(visit)


def _page(visit: Visit, *, password: str = "", who: str = "") -> Response:
    sessions = visit.console.records.find("session", limit=10_000)
    signed_in = {str(record.body["user"]) for record in sessions}
    names = {role.value: ROLE_NAMES[role].of(visit.language) for role in Role}
    everybody = visit.console.accounts.all()
    organizations = visit.console.organizations.names
    return visit.page(
        "people.html",
        everybody=everybody,
        signed_in=signed_in,
        role_names=names,
        known={name: words.of(visit.language) for name, words in organizations.items()},
        password=password,
        who=who,
    )


def create(visit: Visit) -> Response:
    """A new local account with a first password that is shown once."""
    name, roles = visit.form.get("name", ""), visit.many.get("role", [])
    password = secrets.token_urlsafe(15)
    seen = _seen(visit) if visit.console.organizations.names or "sees" in visit.form else []
    _audit(visit, "user.create", name, roles=roles, organizations=seen)
    made = visit.console.accounts.create(
        name,
        password,
        roles,
        full_name=visit.form.get("full_name", "")[:80],
        organizations=seen,
        must_change=True,
    )
    return _page(visit, password=password, who=made.name)


def change(visit: Visit) -> Response:
    """Roles, what is seen, lock, password, second factor or sessions of one person."""
    name, action = str(visit.request.path_params["name"]), visit.form.get("do", "")
    users = visit.console.accounts
    person = users.find(name)
    if person is None:
        raise InputError("この利用者はいません。", "there is no such user")
    if person.name == visit.actor and action in {"roles", "organizations", "lock"}:
        raise Refused(
            "自分の役割・見える範囲・利用停止は変えられません。",
            "nobody changes their own roles, what they see, or their lock",
        )
    roles = visit.many.get("role", []) if action == "roles" else []
    seen = _seen(visit) if action == "organizations" else []
    if clash := _clash(visit, person, action, {"roles": roles, "organizations": seen}.get(action, [])):
        return clash.answer(visit)
    entry = _audit(visit, f"user.{action or 'nothing'}", person.name, roles=roles, organizations=seen)
    if action in {"roles", "organizations"}:
        return _set(visit, person, action, roles or seen, entry)
    if action in {"lock", "unlock"}:
        users.set_disabled(person.name, action == "lock")
    elif action == "factor":
        users.change(person.name, {"totp": "", "totp_new": "", "recovery": []})
        users.end_sessions(person.name)
    elif action == "sessions":
        users.end_sessions(person.name)
    elif action == "password":
        password = secrets.token_urlsafe(15)
        users.set_password(person.name, password, must_change=True)
        return _page(visit, password=password, who=person.name)
    else:
        raise InputError("操作を選んでください。", "choose what to do")
    return visit.to("/admin/users", done="user_changed")


def _set(visit: Visit, person: User, action: str, chosen: list[str], entry: str) -> Response:
    """Set over exactly what was compared: of two in the same moment the second is shown the first's. entry: the audit log's
    number of what is set, which was nothing then."""
    users = visit.console.accounts
    try:
        if action == "roles":
            users.set_roles(person.name, chosen, before=person.roles)
        else:
            users.set_organizations(person.name, chosen, before=person.organizations)
    except Conflict:
        _audit(visit, f"user.{action}.refused", person.name, why="overtaken", of=entry)
        now = users.find(person.name)
        if now is None or (clash := _clash(visit, now, action, chosen)) is None:
            raise
        return clash.answer(visit)
    return visit.to("/admin/users", done="user_changed")


def _clash(visit: Visit, person: User, action: str, chosen: list[str]) -> Clash | None:
    """What another administrator has set since the page was opened, beside what this one is about to set."""
    if action not in {"roles", "organizations"}:
        return None
    now = person.roles if action == "roles" else person.organizations
    if visit.form.get("before", "") == ",".join(now):
        return None
    names = {role.value: ROLE_NAMES[role].of(visit.language) for role in Role}
    names |= {name: words.of(visit.language) for name, words in visit.console.organizations.names.items()}
    none = visit.texts("people.sees_all") if action == "organizations" else ""
    theirs, yours = (
        visit.texts("mark.comma").join(names.get(one, one) for one in given) or none
        for given in (now, chosen)
    )
    field, title = ("role", "people.roles") if action == "roles" else ("organization", "people.sees")
    return Clash(
        what=person.shown,
        back="/admin/users",
        action=f"/admin/users/{person.name}",
        fields=[Field("", visit.texts(title), theirs, yours)] if theirs != yours else [],
        carried=[
            ("do", action),
            ("before", ",".join(now)),
            ("sees", visit.form.get("sees", "")),
            *((field, one) for one in chosen),
        ],
    )


def _seen(visit: Visit) -> list[str]:
    """The organisations that the form ticks, none for all of them. Raises InputError for none where some are meant, and
    for one that there is not."""
    if visit.form.get("sees") == "all":
        return []
    chosen = visit.many.get("organization", [])
    if not chosen or not set(chosen) <= visit.console.organizations.names.keys():
        raise InputError("見える組織を選んでください。", "choose the organisations that the person sees")
    return chosen


def _audit(visit: Visit, action: str, target: str, **told: list[str] | str) -> str:
    details = {name: given for name, given in told.items() if given}
    return visit.console.audit.append(actor=visit.actor, action=action, target=target, details=details)
