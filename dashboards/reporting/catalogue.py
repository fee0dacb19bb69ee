"""The kinds of reports: every module of `dashboards.reports` that has a `report`."""

import importlib
import pkgutil

from dashboards import reports
from dashboards.reporting.document import ReportKind
from hinomi.errors import InputError


def kinds() -> dict[str, ReportKind]:
    """Name → kind."""
    modules = (importlib.import_module(f"{reports.__name__}.{info.name}") for info in _modules())
    found = [module.report for module in modules if hasattr(module, "report")]
    return {kind.name: kind for kind in found}


def find(name: str) -> ReportKind:
    """The kind of this name. Raises InputError that names the kinds there are."""
    known = kinds()
    if name not in known:
        names = ", ".join(sorted(known))
        raise InputError(
            f"報告書「{name}」はありません。作れる報告書: {names}",
            f'there is no report "{name}"; reports: {names}',
        )
    return known[name]


def _modules() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(reports.__path__))
