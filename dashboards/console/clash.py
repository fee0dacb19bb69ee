"""Two people changed the same thing: what stands now beside what was about to be saved, and nothing lost of either."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from dashboards.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Field:
    """A field in both versions. name: as the form sends it, empty where only both are shown and `Clash.carried` sends it;
    language: of the text, empty for the page's."""

    name: str
    title: str
    theirs: str
    yours: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Clash:
    """What somebody was about to save, over what another has saved meanwhile.

    what: the thing's name; back: the page that shows it; action: where its form goes; by, at: who saved last and when (at as ISO
    8601, both empty where that is not on record); fields: those in which the two differ; carried: what the form sends besides,
    with the state that the reader has now seen, a name as often as it comes.
    """

    what: str
    back: str
    action: str
    fields: Sequence[Field]
    carried: Sequence[tuple[str, str]]
    by: str = ""
    at: str = ""

    def answer(self, visit: Visit) -> Response:
        """The page, as 409: nothing was saved."""
        return visit.page("clash.html", status=409, clash=self)


def differing(theirs: Mapping[str, str], yours: Mapping[str, str]) -> list[str]:
    """The names of `yours` whose values differ from theirs, in their order."""
    return [name for name, value in yours.items() if theirs.get(name, "") != value]
