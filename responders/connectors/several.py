"""Several systems of one kind behind one name: `switch` and `switch-2f`, `switch-annex` …; `proxy` and `proxy-2`.

Where each knows its own (a switch its machines, a router its segments), the act is for the one that knows the target. Where none does
(a name server, a proxy, a firewall) it is for all of them: what is denied at one is reached through another.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.text import inert
from responders.connectors.protocol import Connector, Done, Knowing

_EACH = "each"
"""Under this name in what `look` finds: what it found of each, by name."""


@dataclass(frozen=True, slots=True)
class Several:
    """The connectors by name, the one that steps name first. What is looked up is kept by name, also of one alone, so that undo gives
    each its own. called: the name that steps call them by."""

    own: Mapping[str, Connector]
    called: str

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """What each would do."""
        return _together([one.plan(action, values) for _, one in self._for(action, values)])

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """How each is now, by name."""
        return {_EACH: {name: one.look(action, values) for name, one in self._for(action, values)}}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """One after another; done again after a failure in the middle, those that are so already change nothing."""
        return _together([one.act(action, values) for _, one in self._for(action, values)])

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether all are so."""
        return all(one.verify(action, values) for _, one in self._for(action, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Each as it was found, and no other. One that does not let itself be put back keeps the others from nothing: then its error is
        raised. Raises DependencyDown where one is not configured any more."""
        found = self._found(before)
        self._configured(found)
        undone, errors = list[Done](), list[HinomiError]()
        for name in reversed(found):
            try:
                undone.append(self.own[name].undo(action, values, found[name]))
            except HinomiError as error:
                errors.append(error)
        if errors:
            raise _gravest(errors)
        return _together(undone)

    def health(self) -> str:
        """What is wrong with any of them."""
        return "".join(one.health() for one in self.own.values())

    def names(self, action: str, values: Mapping[str, str]) -> list[str]:
        """Those that the act is for as the configuration is now. Raises Refused where that is not settled."""
        return [name for name, _ in self._for(action, values)]

    def at(self, names: Collection[str]) -> "Several":
        """Over these alone. Raises DependencyDown where one is not configured any more."""
        self._configured(names)
        return replace(self, own={name: one for name, one in self.own.items() if name in names})

    def looked_at(self, before: Mapping[str, Any]) -> "Several":
        """Over those of which `look` found this, as those alone can be put back. Raises DependencyDown where one is not configured any
        more."""
        return self.at(self._found(before))

    def _found(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """What was found, by name. What was found until 30 November 2026 of one system alone does not say of which: it is of the one
        that has the very name that steps call it by."""
        return dict(before.get(_EACH, {self.called: before}))

    def _configured(self, names: Collection[str]) -> None:
        if gone := [name for name in names if name not in self.own]:
            raise DependencyDown(
                f"接続先「{'、'.join(gone)}」が設定にありません。この名前で設定すると続けます。",
                f"no target is configured as {', '.join(gone)}: it goes on once there is one of that name",
            )

    def _for(self, action: str, values: Mapping[str, str]) -> Iterator[tuple[str, Connector]]:
        """Those that know the target; all, where they do not tell. Raises Refused where none or more than one knows it; where none does,
        the error of one that could not say, as it may be that one's."""
        telling = {name: one for name, one in self.own.items() if isinstance(one, Knowing)}
        known, errors = dict[str, Connector](), list[HinomiError]()
        for name, one in telling.items():
            try:
                if one.knows(action, values):
                    known[name] = one
            except HinomiError as error:
                errors.append(error)
        if errors and not known:
            raise _gravest(errors)
        if telling and len(known) != 1 and len(self.own) > 1:
            named = inert("、".join(values.values()), 60)
            where, which = "、".join(known or telling), "どれにあるか一つに" if known else "どれにも"
            raise Refused(
                f"「{named}」は、接続先 {where} の{which}決まりません。設定を確かめてください。",
                f'"{named}" is known to {len(known)} of the targets {", ".join(telling)}; it must be one',
            )
        yield from (known or self.own).items()


def not_seen(before: Mapping[str, Any]) -> bool:
    """Whether a part of a target did not answer (`unknown`) when this was found, of any of several systems."""
    return any(one.get("unknown") for one in (before, *before.get(_EACH, {}).values()))


def _gravest(errors: Sequence[HinomiError]) -> HinomiError:
    """One that may be over later, else the first."""
    return next((one for one in errors if isinstance(one, DependencyDown)), errors[0])


def _together(done: list[Done]) -> Done:
    ja, en = "".join(one.ja for one in done), "; ".join(one.en for one in done)
    return Done(ja, en, changed=any(one.changed for one in done))
