"""What the engine reaches beyond its records: targets, evidence, people to tell, reporting clocks. Seams with words."""

from collections.abc import Callable
from dataclasses import dataclass, field

from responders.connectors.catalogue import Connectors
from responders.connectors.protocol import Done
from responders.playbooks.run import Run, RunStep

Hook = Callable[[Run, RunStep], Done]


def _nothing(run: Run, step: RunStep) -> Done:
    return Done(
        "この塔には備えがありません。人が行ってください。", "this tower has no means for it; a person must"
    )


@dataclass(frozen=True, slots=True)
class World:
    """connectors: by action and target; evidence: keeps what a step asks for; tell: calls an office; clock: puts the
    decision on a report before people. Each is idempotent for one step of one run."""

    connectors: Connectors
    evidence: Hook = field(default=_nothing)
    tell: Hook = field(default=_nothing)
    clock: Hook = field(default=_nothing)
