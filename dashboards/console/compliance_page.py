"""The compliance page: every control with its state, the evidence and its query, and what a person says of it."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from dashboards.compliance.control import controls
from dashboards.compliance.judgement import KIND, VALID, Judged, State, attestations, judge, tally
from dashboards.console.clash import Clash, Field, differing
from dashboards.console.visit import Console, Visit
from dashboards.reporting.document import Ingredients
from hinomi.errors import Conflict, InputError

log = logging.getLogger("hinomi.console")
FRESH = timedelta(minutes=15)
_SAID = ("done", "gap", "excepted")
ASSIGN = "assign"


@dataclass(slots=True)
class Judgement:
    """The last judgement. One older than a quarter of an hour is shown, with its time, while the next is made beside;
    who asks for a new one, or says something of a control, waits for it."""

    made: datetime | None = None
    judged: list[Judged] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self, of: Ingredients, *, anew: bool = False) -> tuple[datetime, list[Judged]]:
        """(when it was made, the judgement)."""
        if anew or self.made is None:
            with self.lock:
                if anew or self.made is None:
                    self._judge(of)
        elif of.clock.now() - self.made > FRESH and self.lock.acquire(blocking=False):
            threading.Thread(target=self._beside, args=(of,), daemon=True).start()
        assert self.made is not None
        return self.made, self.judged

    def _beside(self, of: Ingredients) -> None:
        try:
            self._judge(of)
        except (
            Exception
        ):  # a thread has nobody to raise to; the page goes on telling the age of what it shows
            log.exception("judgement_failed")
        finally:
            self.lock.release()

    def _judge(self, of: Ingredients) -> None:
        self.judged, self.made = judge(of), of.clock.now()


def show(visit: Visit) -> Response:
    """The list, narrowed by state; `?again=yes` counts anew."""
    made, found = _judged(visit.console, anew=visit.asked("again") == "yes")
    wanted, sure = visit.asked("state"), visit.asked("sure")
    return visit.page(
        "compliance.html",
        made=made,
        judged=[one for one in found if _shown(one, wanted, sure)],
        inferred=sum(is_inferred(one) for one in found),
        sure=sure,
        counts=tally(found),
        total=len(found),
        states=list(State),
        state=wanted,
        searches=_searches(found),
    )


def is_inferred(one: Judged) -> bool:
    """Whether its wording or its number was not read in a primary source."""
    return one.control.inferred or one.control.number_inferred


def _shown(one: Judged, state: str, sure: str) -> bool:
    return (not state or one.state.value == state) and (sure != "inferred" or is_inferred(one))


def attest(visit: Visit) -> Response:
    """What a person says of a control, with a reason; it counts for a year, an exception until its day. Or only who is in
    charge of it until when, which leaves what was said as it is."""
    identity, back = str(visit.request.path_params["control"]), visit.form.get("back", "/compliance")
    said = {name: visit.form.get(name, "").strip() for name in ("said", "note", "owner", "due")}
    base = visit.form.get("version", "")
    try:
        record(visit, identity, **said, base=int(base) if base.isdecimal() and len(base) < 10 else 0)
    except Conflict:
        return _clash(visit, identity, said, back)
    return visit.back_to(back, "attested")


def record(visit: Visit, identity: str, said: str, note: str, owner: str, due: str, *, base: int) -> None:
    """Write it down and judge anew. base: the version of what a person said before, as the writer has seen it, 0 for nothing.

    Raises InputError, and Conflict where somebody else has said something since."""
    by_id = {control.id: control for control in controls()}
    if identity not in by_id or said not in (*_SAID, ASSIGN):
        raise InputError("項目と判断を選んでください。", "choose a control and what you say of it")
    body = _charge(visit, identity, owner, due) if said == ASSIGN else _said(visit, said, note, owner, due)
    records = visit.console.records
    held = records.get(KIND, identity)
    counts = attestations(records, visit.console.clock.now()).get(identity)
    if base != (counts.version if counts else 0):
        raise Conflict(
            "ほかの人が先に、この項目の判断を記録しました。見直してから記録してください。",
            "somebody else has said something of this control meanwhile; read it, then say yours",
        )
    visit.console.audit.append(actor=visit.actor, action="compliance.attest", target=identity, details=body)
    records.put(KIND, identity, body, expect=held.version if held else 0)
    _judged(visit.console, anew=True)


def _clash(visit: Visit, identity: str, said: dict[str, str], back: str) -> Response:
    """What somebody else said meanwhile, beside what the reader was about to."""
    _judged(visit.console, anew=True)
    theirs = attestations(visit.console.records, visit.console.clock.now()).get(identity)
    standing = (
        dict(zip(said, (theirs.said, theirs.note, theirs.owner, theirs.due), strict=True)) if theirs else {}
    )
    texts = visit.texts
    titles = {"said": "say", "note": "note", "owner": "owner", "due": "due"}
    differ = [name for name in differing(standing, said) if said[name] or said["said"] != ASSIGN]
    made = Clash(
        what=next(one.title.of(visit.language) for one in controls() if one.id == identity),
        back=f"/compliance#{identity}",
        action=f"/compliance/{identity}",
        fields=[
            Field(
                "note" if name == "note" else "",
                texts(f"compliance.{titles[name]}"),
                _shown_as(visit, name, standing.get(name, "")),
                _shown_as(visit, name, said[name]),
            )
            for name in differ
        ],
        carried=[
            *((name, value) for name, value in said.items() if name != "note" or "note" not in differ),
            ("back", back),
            ("version", str(theirs.version if theirs else 0)),
        ],
        by=theirs.by if theirs else "",
        at=theirs.at.isoformat() if theirs else "",
    )
    return made.answer(visit)


def _shown_as(visit: Visit, name: str, value: str) -> str:
    return visit.texts(f"compliance.said_{value}") if name == "said" and value else value


def _said(visit: Visit, said: str, note: str, owner: str, due: str) -> dict[str, str]:
    if not 5 <= len(note) <= 2000:
        raise InputError("根拠を 5〜2000 字で入力してください。", "give the grounds in 5 to 2000 characters")
    now, day = visit.console.clock.now(), _day(due, needed=said != "done")
    until = datetime.combine(day, now.timetz()) if said == "excepted" and day else now + VALID
    return {
        "said": said,
        "note": note,
        "by": visit.actor,
        "at": now.isoformat(),
        "owner": owner[:80],
        "due": day.isoformat() if day else "",
        "until": until.isoformat(),
    }


def _charge(visit: Visit, identity: str, owner: str, due: str) -> dict[str, str]:
    if not owner:
        raise InputError("担当を入力してください。", "say who is in charge")
    now, day = visit.console.clock.now(), _day(due, needed=False)
    bare = {
        "said": "",
        "note": "",
        "by": visit.actor,
        "at": now.isoformat(),
        "until": (now + VALID).isoformat(),
    }
    held = visit.console.records.get(KIND, identity)
    counts = held is not None and attestations(visit.console.records, now).get(identity)
    before = held.body if held is not None and counts else bare
    return {**before, "owner": owner[:80], "due": day.isoformat() if day else ""}


def _day(text: str, *, needed: bool) -> date | None:
    try:
        return date.fromisoformat(text) if text or needed else None
    except ValueError:
        raise InputError("期限の日付を入力してください。", "give the day until when") from None


def judged(console: Console) -> list[Judged]:
    """The last judgement, for pages that only sum it up."""
    return _judged(console, anew=False)[1]


def _judged(console: Console, *, anew: bool) -> tuple[datetime, list[Judged]]:
    of = Ingredients(
        console.events,
        console.records,
        console.clock,
        console.settings.organization,
        rulebook=console.rulebook,
        periods=console.periods,
    )
    return console.judgement.now(of, anew=anew)


def _searches(found: Sequence[Judged]) -> dict[str, str]:
    """Query → address of the search that repeats it."""
    queries = {outcome.search for one in found for outcome in one.outcomes if outcome.search}
    return {query: "/search?" + urlencode({"q": query, "range": "30d"}) for query in queries}
