"""The search as a Sigma draft: shown, or as a file."""

from starlette.responses import Response

from dashboards.console.search import asked
from dashboards.console.visit import Visit
from dashboards.sigma_draft import draft
from hinomi.clock import JST


def show(visit: Visit) -> Response:
    """The draft as a YAML file to be reviewed, tested and put into a rule folder."""
    text = text_of(visit)
    headers = {"Content-Disposition": 'attachment; filename="draft.yml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


def text_of(visit: Visit) -> str:
    """The search of the address line as a draft. Raises QueryError."""
    wanted = asked(visit)
    today = visit.console.clock.now().astimezone(JST).date()
    text = draft(wanted.query, wanted.datasets, today, visit.user.shown if visit.user else "")
    visit.console.audit.append(
        actor=visit.actor, action="console.sigma_draft", target=wanted.query, details={}
    )
    return text
