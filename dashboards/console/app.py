"""The console as one ASGI application: the route table, its access, and what every page may use."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from collectors.organizations import Organizations
from dashboards.console import (
    account,
    ack_link,
    around,
    audit_page,
    automation_page,
    boards_page,
    bulk,
    bundle,
    by_hand,
    case_actions,
    complete,
    compliance_page,
    custody,
    decisions,
    exceptions_page,
    exercises_page,
    export,
    incident_page,
    live,
    oncall_page,
    onepage,
    people,
    permits_page,
    queue,
    report_draft,
    reports_page,
    residents,
    rules_page,
    search,
    sigma_draft,
    signin,
    sources,
    views,
)
from dashboards.console.access import MAX_FORM, Access, Page, answer, endpoint
from dashboards.console.attempts import Attempts
from dashboards.console.residents import Residents
from dashboards.console.rulebook import Rulebook
from dashboards.console.security import SecurityHeaders
from dashboards.console.sessions import Sessions
from dashboards.console.templating import STATIC, environments
from dashboards.console.visit import Console, Visit
from dashboards.ldap_signin import Directory
from dashboards.oidc import Provider
from dashboards.settings import ConsoleSettings
from dashboards.tokens import Tokens
from dashboards.users import Users
from hinomi.clock import Clock, SystemClock
from hinomi.retention import DEFAULTS, Period
from hinomi.store import Events, Records
from responders.desk import Desk
from responders.settings import ResponderSettings


def health(visit: Visit) -> Response:
    """`ok` when the records answer; for load balancers and `hinomi doctor`."""
    visit.console.records.count("incident")
    return PlainTextResponse("ok\n")


def keys(visit: Visit) -> Response:
    """The keys of the console, also for browsers without script."""
    return visit.page("keys.html")


MOST_UPLOAD = custody.MOST_FILE + MAX_FORM  # bytes: the file, and the fields beside it
MOST_DRAFT = 512 * 1024  # bytes: a report's items, percent-encoded

PAGES = (
    Page("GET", "/help/keys", keys, Access.READ, apart=True),
    Page("GET", "/", queue.show, Access.READ, apart=True),
    Page("GET", "/sign-in", signin.show, Access.OPEN),
    Page("POST", "/sign-in", signin.sign_in, Access.OPEN),
    Page("GET", "/sign-in/code", signin.show_code, Access.OPEN),
    Page("POST", "/sign-in/code", signin.check_code, Access.OPEN),
    Page("GET", "/sign-in/oidc", signin.to_provider, Access.OPEN),
    Page("GET", "/sign-in/oidc/back", signin.from_provider, Access.OPEN),
    Page("POST", "/sign-out", signin.sign_out, Access.READ, apart=True),
    Page("GET", "/account", account.show, Access.READ, apart=True),
    Page("POST", "/account/factor", account.begin_factor, Access.READ, apart=True),
    Page("POST", "/account/factor/confirm", account.confirm_factor, Access.READ, apart=True),
    Page("POST", "/account/session", account.end_session, Access.READ, apart=True),
    Page("POST", "/account/token", account.make_token, Access.READ, apart=True),
    Page("POST", "/account/token/end", account.end_token, Access.READ, apart=True),
    Page("POST", "/account/keys", account.set_keys, Access.READ, apart=True),
    Page("POST", "/account/password", account.set_password, Access.READ, apart=True),
    Page("GET", "/admin/users", people.show, Access.ADMIN),
    Page("POST", "/admin/users", people.create, Access.ADMIN),
    Page("POST", "/admin/users/{name}", people.change, Access.ADMIN),
    Page("GET", "/audit", audit_page.show, Access.AUDIT),
    Page("GET", "/search/complete", complete.suggest, Access.READ, quiet=True, apart=True),
    Page("GET", "/search/around", around.show, Access.READ, apart=True),
    Page("GET", "/search/sigma", sigma_draft.show, Access.WORK, apart=True),
    Page("POST", "/bulk", bulk.act, Access.WORK, apart=True),
    Page("POST", "/views", views.save, Access.READ, apart=True),
    Page("POST", "/views/{view}/remove", views.remove, Access.READ, apart=True),
    Page("POST", "/reveal", residents.reveal, Access.WORK, apart=True),
    Page("GET", "/live", live.stream, Access.READ, quiet=True, blank=True, apart=True),
    Page("GET", "/incidents/open", by_hand.form, Access.WORK, apart=True),
    Page("POST", "/incidents/open", by_hand.take, Access.WORK, apart=True),
    Page("GET", "/reported/{report}", by_hand.receipt, Access.WORK, apart=True),
    Page("GET", "/incidents/{number:int}", incident_page.show, Access.READ, apart=True),
    Page("GET", "/incidents/{number:int}/evidence.zip", bundle.download, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/acknowledge", decisions.acknowledge, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/assign", decisions.assign, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/comment", decisions.comment, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/close", decisions.close, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/reopen", decisions.reopen, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/grade", decisions.regrade, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/tasks", case_actions.add_task, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/tasks/{task}", case_actions.finish_task, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/merge", case_actions.merge, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/split", case_actions.split, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/start", by_hand.start, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/exceptions", exceptions_page.propose, Access.WORK),
    Page("GET", "/exceptions", exceptions_page.show, Access.READ),
    Page("POST", "/exceptions/{exception}/review", exceptions_page.review, Access.APPROVE),
    Page("POST", "/exceptions/{exception}/end", exceptions_page.end, Access.WORK),
    Page("POST", "/incidents/{number:int}/told", case_actions.told, Access.WORK, apart=True),
    Page(
        "POST",
        "/incidents/{number:int}/evidence",
        custody.take,
        Access.WORK,
        most=MOST_UPLOAD,
        file=True,
        apart=True,
    ),
    Page("POST", "/incidents/{number:int}/evidence/seal", custody.seal, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/evidence/{piece}/hand", custody.hand, Access.WORK, apart=True),
    Page("POST", "/incidents/{number:int}/evidence/{piece}/read", custody.read, Access.WORK, apart=True),
    Page("GET", "/incidents/{number:int}/duties/{duty}", report_draft.show, Access.WORK, apart=True),
    Page(
        "GET", "/incidents/{number:int}/duties/{duty}/file/{kind}", report_draft.file, Access.WORK, apart=True
    ),
    Page(
        "POST",
        "/incidents/{number:int}/duties/{duty}/start",
        case_actions.start_clock,
        Access.WORK,
        apart=True,
    ),
    Page(
        "POST",
        "/incidents/{number:int}/duties/{duty}/decline",
        case_actions.decline_clock,
        Access.APPROVE,
        apart=True,
    ),
    Page("POST", "/incidents/{number:int}/duties/{duty}/draft", report_draft.draft, Access.WORK, apart=True),
    Page(
        "POST",
        "/incidents/{number:int}/duties/{duty}/edit",
        report_draft.edit,
        Access.WORK,
        most=MOST_DRAFT,
        apart=True,
    ),
    Page(
        "POST",
        "/incidents/{number:int}/duties/{duty}/approve",
        report_draft.approve,
        Access.APPROVE,
        apart=True,
    ),
    Page("POST", "/incidents/{number:int}/duties/{duty}/sent", report_draft.sent, Access.WORK, apart=True),
    Page("GET", "/oncall", oncall_page.show, Access.READ),
    Page("GET", "/oncall/contacts.pdf", oncall_page.card, Access.WORK),
    Page("POST", "/oncall/stand-in", oncall_page.stand_in, Access.WORK),
    Page("POST", "/oncall/stand-in/{override}/drop", oncall_page.drop_stand_in, Access.WORK),
    Page("POST", "/oncall/note", oncall_page.note, Access.WORK),
    Page("GET", "/calendar/{token}", oncall_page.calendar, Access.OPEN),
    Page("GET", "/automation", automation_page.show, Access.READ),
    Page("POST", "/automation/stop", automation_page.stop, Access.WORK),
    Page("POST", "/automation/resume", automation_page.resume, Access.APPROVE),
    Page("POST", "/automation/delegate", automation_page.delegate, Access.APPROVE),
    Page("POST", "/automation/delegations/{delegation}/end", automation_page.end_delegation, Access.APPROVE),
    Page("GET", "/exercises", exercises_page.show, Access.READ),
    Page("POST", "/exercises", exercises_page.add, Access.WORK),
    Page("GET", "/permits", permits_page.show, Access.READ),
    Page("POST", "/permits", permits_page.give, Access.APPROVE),
    Page("POST", "/permits/{permit}/end", permits_page.end, Access.APPROVE),
    Page("POST", "/runs/{run}/extend/{index:int}", decisions.extend, Access.APPROVE, apart=True),
    Page("POST", "/runs/{run}/undo", decisions.undo, Access.APPROVE, apart=True),
    Page("POST", "/runs/{run}/first/{index:int}", decisions.act_first, Access.WORK),
    Page("POST", "/runs/{run}/tasks/{index:int}", decisions.finish_task, Access.WORK, apart=True),
    Page("POST", "/approvals/{approval}", decisions.decide, Access.APPROVE, apart=True),
    Page("GET", "/search", search.show, Access.READ, apart=True),
    Page("GET", "/search/export.csv", export.as_csv, Access.WORK, apart=True),
    Page("GET", "/search/export.ndjson", export.as_ndjson, Access.WORK, apart=True),
    Page("GET", "/boards", boards_page.show, Access.READ, apart=True),
    Page("GET", "/compliance", compliance_page.show, Access.READ),
    Page("POST", "/compliance/{control}", compliance_page.attest, Access.APPROVE),
    Page("GET", "/rules", rules_page.show, Access.READ),
    Page("GET", "/rules/attack-layer.json", rules_page.navigator, Access.READ),
    Page("POST", "/rules/try", rules_page.trial, Access.WORK),
    Page("GET", "/rules/{rule}", rules_page.rule, Access.READ),
    Page("GET", "/summary", onepage.show, Access.READ),
    Page("GET", "/sources", sources.show, Access.READ, apart=True),
    Page("POST", "/sources/replay", sources.replay, Access.WORK),
    Page("GET", "/reports", reports_page.show, Access.READ, apart=True),
    Page("GET", "/reports/{name}", reports_page.file, Access.READ, apart=True),
    Page("GET", "/a/{token}", ack_link.show, Access.OPEN),
    Page("POST", "/a/{token}", ack_link.acknowledge, Access.OPEN),
    Page("GET", "/healthz", health, Access.OPEN),
)


def create_app(
    events: Events,
    records: Records,
    service: Desk,
    settings: ConsoleSettings | None = None,
    clock: Clock | None = None,
    *,
    users: Users | None = None,
    rulebook: Rulebook | None = None,
    responding: ResponderSettings | None = None,
    organizations: Organizations | None = None,
    periods: Sequence[Period] = tuple(DEFAULTS),
) -> Starlette:
    """The console over a store. `users` is a seam for tests (a cheaper password hash); rulebook: the rules in
    force, none where it is left out; responding: who is called and told, and what automation may do; organizations: whom
    the tower keeps apart; periods: for how long which events are to be kept."""
    from dashboards.api import routes  # the API stands on this package

    chosen, time = settings or ConsoleSettings(), clock or SystemClock()
    accounts = users or Users(records, time)
    console = Console(
        events=events,
        records=records,
        service=service,
        settings=chosen,
        clock=time,
        users=accounts,
        accounts=accounts,
        sessions=Sessions(records, time, chosen.idle, chosen.longest),
        attempts=Attempts(records, time),
        templates=environments(time),
        pulse=live.Pulse(records),
        rulebook=rulebook or Rulebook([]),
        judgement=compliance_page.Judgement(),
        tokens=Tokens(records, time),
        ldap=Directory(chosen.ldap) if chosen.ldap else None,
        oidc=Provider(chosen.oidc) if chosen.oidc else None,
        responding=responding or ResponderSettings(),
        organizations=organizations or Organizations(),
        periods=periods,
        residents=Residents(
            records, time, frozenset(chosen.residents), timedelta(minutes=chosen.residents_minutes)
        ),
    )
    app = Starlette(
        routes=[
            *map(partial(_route, console), PAGES),
            routes.mount(console),
            Mount("/static", Static(directory=STATIC)),
        ],
        middleware=[Middleware(SecurityHeaders, tls=chosen.tls)],
        exception_handlers={HTTPException: partial(_http_error, console)},
    )
    app.state.console = console
    return app


def _route(console: Console, page: Page) -> Route:
    return Route(page.path, endpoint(console, page), methods=[page.method], name=f"{page.method} {page.path}")


class Static(StaticFiles):
    """Our own few files; their address changes with their content, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; kept for a year when it is there."""
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


async def _http_error(console: Console, request: Request, error: Exception) -> Response:
    """A page instead of Starlette's plain words for an unknown address or method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return await answer(console, request, lambda visit: _http_page(visit, status))


def _http_page(visit: Visit, status: int) -> Response:
    return visit.page(
        "message.html", status=status, title=visit.texts.get("error", str(status)), message="", onward=""
    )
