"""Which of the rules that are there shall run: switched off and on by id, tag, level, status, log source or folder.

A rule is off where an entry of `disable` fits it and none of `enable` does. Entries say who decided it and why, and may
end: what has ended counts no more, and is reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a start where nothing is switched off needs no models
    from rules.selector import Selector


@dataclass(frozen=True, slots=True)
class Choice:
    """What is switched off, what is on all the same, and what is set aside whatever `enable` says (quarantine)."""

    disable: Sequence["Selector"] = ()
    enable: Sequence["Selector"] = ()
    aside: Sequence["Selector"] = ()

    def off(self, about: Mapping[str, Any], path: str, today: date) -> "Selector | None":
        """The entry that switches a rule off; None where it runs."""
        if (held := next((one for one in self.aside if one.fits(about, path)), None)) is not None:
            return held
        if any(one.live(today) and one.fits(about, path) for one in self.enable):
            return None
        return next((one for one in self.disable if one.live(today) and one.fits(about, path)), None)

    def ended(self, today: date) -> list["Selector"]:
        """Entries that count no more."""
        return [one for one in (*self.disable, *self.enable) if not one.live(today)]

    def key(self, today: date) -> bytes:
        """What of it a compiled rule set depends on."""
        if not self.disable and not self.aside:
            return b""
        live = (
            [one.model_dump_json() for one in each if one.live(today)]
            for each in (self.disable, self.enable, self.aside)
        )
        return "|".join("\n".join(one) for one in live).encode()


EVERYTHING = Choice()
"""Nothing switched off."""
