"""Which systems an act is for: `proxy` may be one, or `proxy` and `proxy-2` (see `Several`). Whoever approves sees their names, and the act
is done to these and to no other, whatever is configured since."""

from hinomi.errors import HinomiError, Refused
from responders.connectors.catalogue import Connectors
from responders.connectors.protocol import Connector, Done
from responders.connectors.several import Several
from responders.playbooks.run import Run, RunStep, StepState


def named(run: Run, connectors: Connectors) -> Run:
    """The run with the systems of its acts as they are configured now, also in their titles and in those of the gates before them, where
    they are not the plainly named one. What is begun or over stays, and an act of which it is not settled for whom it is: the target
    refuses that one."""
    for act in run.acts:
        if act.state is StepState.PLANNED:
            run = run.with_step(_named(act, connectors))
    for gate in run.steps:
        if gate.kind == "approve" and gate.state is StepState.PLANNED:
            run = run.with_step(_gate(gate, run))
    return run


def _gate(gate: RunStep, run: Run) -> RunStep:
    """The gate with the systems of what it covers: whoever decides there may see its title alone."""
    acts = [act for act in run.acts if act.gate == gate.index and act.of_others]
    systems = list(dict.fromkeys(name for act in acts for name in act.systems or []))
    return _titled(gate, systems or None)


def _named(act: RunStep, connectors: Connectors) -> RunStep:
    try:
        names = _names(connectors(act.act, act.on), act)
    except HinomiError:
        return act
    return _titled(act, names)


def _titled(step: RunStep, names: list[str] | None) -> RunStep:
    """The step with these systems, and its title with them in the place of those before."""
    titles = zip((step.title_ja, step.title_en), _said(step), strict=True)
    bare_ja, bare_en = (title.removesuffix(said) for title, said in titles)
    known = step.model_copy(update={"systems": names})
    ja, en = _said(known)
    return known.model_copy(update={"title_ja": bare_ja + ja, "title_en": bare_en + en})


def _said(step: RunStep) -> tuple[str, str]:
    names = (step.systems or []) if step.of_others else []
    return (f"(接続先: {'、'.join(names)})", f" (at {', '.join(names)})") if names else ("", "")


def narrowed(connector: Connector, act: RunStep) -> Connector:
    """The connector over the systems that were looked at before they were touched, else over those that were approved. Raises
    DependencyDown where one of them is not configured any more."""
    if not isinstance(connector, Several):
        return connector
    if act.before:
        return connector.looked_at(act.before)
    return connector if act.systems is None else connector.at(act.systems)


def elsewhere(connector: Connector, act: RunStep) -> Done:
    """In words, at which systems that are configured since it is not done, as nobody approved that; empty where there are none, or where
    they do not say whether it would be theirs: it is done, and no system's silence makes that undone."""
    systems = act.systems if isinstance(connector, Several) else None
    try:
        new = [] if systems is None else [one for one in _names(connector, act) or [] if one not in systems]
    except HinomiError:
        new = []
    if not new:
        return Done("", "", changed=False)
    return Done(
        f"承認のあとに設定された接続先「{'、'.join(new)}」では行っていません。必要なら人が判断して行ってください。",
        f"; not done at {', '.join(new)}, configured since the approval: where it is needed a person must do it",
    )


def _names(connector: Connector | None, act: RunStep) -> list[str] | None:
    """The systems that it is for as they are configured now; None where that is not settled, or the target is one that has no others."""
    if not isinstance(connector, Several):
        return None
    try:
        return connector.names(act.act, act.values)
    except Refused:
        return None
