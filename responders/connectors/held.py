"""A target that is either held or free (a machine cut off, an account blocked): a connector over four questions.

What a vendor's API differs in is in the `Grip`; that acts are idempotent, that undo gives back what was, and the words are
written once, here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hinomi.errors import Refused
from responders.connectors.actions import ACTIONS
from responders.connectors.protocol import Done
from responders.connectors.web_api import WebApi, trouble


class Grip(Protocol):
    """How one product is asked."""

    def session(self) -> AbstractContextManager[WebApi]:
        """Signed in."""
        ...

    def target(self, api: WebApi, action: str, value: str) -> str:
        """The product's own id. Raises Refused for none or several."""
        ...

    def held(self, api: WebApi, action: str, target: str) -> bool:
        """Whether it is so already."""
        ...

    def hold(self, api: WebApi, action: str, target: str) -> None:
        """Make it so."""
        ...

    def free(self, api: WebApi, action: str, target: str) -> None:
        """Take it back; nothing for what cannot be taken back."""
        ...

    def healthy(self, api: WebApi) -> None:
        """A question that costs nothing and needs the rights."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """The connector. momentary: acts of which no state is left that could be asked for (sessions that were ended)."""

    grip: Grip
    momentary: frozenset[str] = field(default_factory=frozenset)

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the target up."""
        with self.grip.session() as api:
            value = value_of(action, values)
            if self._so(api, action, self.grip.target(api, action, value)):
                return Done(f"{value} は既にそうなっています。", f"{value} is so already", changed=False)
        return Done(*words_of(action, value))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The product's id of it, and whether it is so already."""
        with self.grip.session() as api:
            target = self.grip.target(api, action, value_of(action, values))
            return {"target": target, "held": self._so(api, action, target)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Make it so, unless it is."""
        value = value_of(action, values)
        with self.grip.session() as api:
            target = self.grip.target(api, action, value)
            if self._so(api, action, target):
                return Done(f"{value} は既にそうなっていました。", f"{value} was so already", changed=False)
            self.grip.hold(api, action, target)
        ja, en = words_of(action, value)
        return Done(f"行いました: {ja}", f"done: {en}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether it is so; of what leaves no state, only that the product took it."""
        if action in self.momentary:
            return True
        with self.grip.session() as api:
            return self.grip.held(api, action, self.grip.target(api, action, value_of(action, values)))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Free it, unless it had been held before."""
        value, target = value_of(action, values), str(before["target"])
        if before.get("held") or not ACTIONS[action].undoable:
            return Done(f"{value} はそのままにしました。", f"{value} is left as it was", changed=False)
        with self.grip.session() as api:
            if self.grip.held(api, action, target):
                self.grip.free(api, action, target)
        return Done(f"{value} を元に戻しました。", f"{value} is as it was")

    def health(self) -> str:
        """Signs in and asks something harmless."""
        return trouble(self.grip.session, self.grip.healthy)

    def _so(self, api: WebApi, action: str, target: str) -> bool:
        return action not in self.momentary and self.grip.held(api, action, target)


def host_name(value: str) -> str:
    """A machine's short name, lower case. Raises Refused for anything else."""
    short = value.split(".")[0].lower()
    if (
        not short
        or len(short) > 63
        or not short.replace("-", "").replace("_", "").isalnum()
        or not short.isascii()
    ):
        raise Refused(f"「{value}」は端末名ではありません。", f'"{value}" is not a host name')
    return short


def only_machine(value: str, found: Sequence[str]) -> str:
    """The one id that was found for the name. Raises Refused for none or several: which is meant must be plain."""
    if len(found) != 1:
        raise Refused(
            f"端末「{value}」は {len(found)} 台あります。1台のときだけ操作します。",
            f'{len(found)} machines are named "{value}", not one',
        )
    return found[0]


def value_of(action: str, values: Mapping[str, str]) -> str:
    """The one target of an act, as the plan names it."""
    return values[ACTIONS[action].value]


def words_of(action: str, value: str) -> tuple[str, str]:
    """What an act does to it, in both languages."""
    known = ACTIONS[action]
    return known.ja.format(v=value), known.en.format(v=value)
