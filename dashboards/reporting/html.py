"""A report as one HTML file that needs nothing beside it: no script, no address outside."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboards import times
from dashboards.console.templating import paragraphs, shown
from dashboards.reporting.document import Chart, Document, Paragraph, Table
from dashboards.texts import Texts

_FOLDER = Path(__file__).parent / "templates"


def html(document: Document) -> bytes:
    """The HTML page, UTF-8."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(full=times.full, paragraphs=paragraphs)
    environment.tests.update(
        paragraph=lambda block: isinstance(block, Paragraph),
        table=lambda block: isinstance(block, Table),
        chart=lambda block: isinstance(block, Chart),
    )
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    text = environment.get_template("report.html").render(
        report=document,
        t=Texts(document.language),
        day=times.period(document.start, document.end, document.language),
        # S704: our own files; every value inside the drawings was escaped in dashboards.charts
        style=Markup(style),  # noqa: S704
        drawing=Markup,
    )
    return text.encode("utf-8", "replace")
