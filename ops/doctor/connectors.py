"""Can the systems that contain an attack be reached?"""

from collections.abc import Iterator

from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from responders.connectors.catalogue import connector

_CHECK = Words("経路と資格情報を確かめてください。", "check the way to it and its credentials")


def connectors(patient: Patient) -> Iterator[Check]:
    """Each configured connector's own health check."""
    for name, target in patient.settings.respond.connectors.items():
        part = Part(f"接続先 {name}", f"connector {name}")
        problem = connector(target).health()
        yield part.bad(problem, problem, _CHECK) if problem else part.good("使えます。", "works")
