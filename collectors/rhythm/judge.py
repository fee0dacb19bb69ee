"""What a source did against what it usually does. Pure: numbers in, findings out."""

from itertools import islice

from collectors.rhythm import wording
from collectors.rhythm.finding import Finding, Kind
from collectors.rhythm.settings import RhythmSettings, begin
from collectors.rhythm.tally import SLOT, Arrived, Sender, slot_of
from collectors.rhythm.usual import Usual

FEWEST = 20
"""Lines from which on shares and times of a slot say something."""
SURE = 7.0
"""One in e^7, some 1,100: how unlikely an empty stretch must be to count as silence."""
_AT_LEAST = 2 * SLOT  # seconds of silence that a learned habit can make
_STEADY = 3600.0  # a sender that never paused for longer speaks around the clock
_WEEK = 7 * 86_400.0
_ALL_DEAD = 5  # lines, none of them understood
_FEW_LATE = 12
_AFTER_SILENCE = 2 * 3600.0  # what waited meanwhile comes late, and that is known
_CERTAIN, _GONE, _NEW = 0.9, 0.05, 0.5
_RICH_SLOTS, _RICH = 100, 100
_MOST_SLOTS = 6 * 24 * 14


def silence(usual: Usual, since: float, through: float, settings: RhythmSettings) -> Finding | None:
    """Nothing came for too long. since: from when on the tower was there to hear; through: until when."""
    start = max(usual.last, since)
    if settings.silent_after is not None and not usual.sender:
        return _declared_silence(usual, start, through, settings)
    gap = through - start
    if gap < _AT_LEAST or not usual.last or not usual.warm(through, settings.warm_up_days):
        return None
    if usual.sender or _steady(usual, through, settings):
        return _steady_silence(usual, gap, through, settings)
    empty = range(slot_of(start) + SLOT, slot_of(through), SLOT)
    unlikely = usual.surprise(islice(iter(empty), _MOST_SLOTS)) >= SURE
    long = through - usual.first > _WEEK and gap > 1.5 * usual.longest + 3600
    return Finding(Kind.SILENT, usual.last, wording.silent(usual, gap)) if unlikely or long else None


def _declared_silence(usual: Usual, start: float, through: float, settings: RhythmSettings) -> Finding | None:
    """As configured: in the hours of an office the silence counts from their beginning."""
    opened = begin(settings.hours, through)
    bound = (settings.silent_after or 0) * 60
    if opened is None or through - max(start, opened) <= bound:
        return None
    return Finding(Kind.SILENT, usual.last, wording.silent(usual, through - start))


def _steady(usual: Usual, through: float, settings: RhythmSettings) -> bool:
    return usual.warm(through, max(settings.warm_up_days, 1.0)) and usual.longest < _STEADY


def _steady_silence(usual: Usual, gap: float, through: float, settings: RhythmSettings) -> Finding | None:
    """Who speaks around the clock is missed soon. Of several senders only such ones are: a PC may be switched off."""
    late = _steady(usual, through, settings) and gap > max(3 * usual.longest, _AT_LEAST)
    return Finding(Kind.SILENT, usual.last, wording.silent(usual, gap)) if late else None


def flood(usual: Usual, slot: int, came: Sender, settings: RhythmSettings, *, warm: bool) -> Finding | None:
    """Far more lines than in a busy slot."""
    bound = settings.flood_lines
    if warm:
        bound = max(bound, int(settings.flood_times * usual.peak))
    elif "flood_lines" not in settings.model_fields_set:
        return None
    if came.n <= bound:
        return None
    figures = {"lines": came.n, "peak": round(usual.peak), "bound": bound}
    return Finding(Kind.FLOOD, float(slot), wording.flood(usual, came.n), figures)


def jump(usual: Usual, slot: int, came: Sender, settings: RhythmSettings) -> Finding | None:
    """The times in the lines ran ahead of the clock, or fell behind what is usual."""
    if came.of < FEWEST:
        return None
    figures = {"late_seconds": round(came.late), "usual_seconds": round(usual.usually_late())}
    if came.late < -60 * settings.ahead_minutes:
        return Finding(Kind.TIME, float(slot), wording.ahead(usual, -came.late), figures)
    if len(usual.late) < _FEW_LATE or came.last - usual.resumed < _AFTER_SILENCE:
        return None
    spread = max(usual.late) - min(usual.late)
    more = came.late - usual.usually_late()
    if more > max(60 * settings.late_minutes, 2 * spread):
        return Finding(Kind.TIME, float(slot), wording.behind(usual, came.late), figures)
    return None


def form(usual: Usual, slot: int, came: Arrived, settings: RhythmSettings) -> Finding | None:
    """Lines that cannot be read any more, or fields that were always there and are gone."""
    enough = came.n >= FEWEST or (came.n == came.dead and came.n >= _ALL_DEAD)
    if enough and usual.dead is not None:
        share = came.dead / came.n
        if share > usual.dead + settings.unparsed_share:
            figures = {"share": round(share, 3), "usual": round(usual.dead, 3)}
            return Finding(Kind.FORMAT, float(slot), wording.unread(usual, share), figures)
    understood = came.n - came.dead
    if understood < _RICH or usual.rich < _RICH_SLOTS:
        return None
    gone = [
        name
        for name, least in usual.fields.items()
        if least >= _CERTAIN and came.fields.get(name, 0) < _GONE * understood
    ]
    new = [n for n, k in came.fields.items() if n not in usual.fields and k > _NEW * understood]
    if not gone and len(new) < 3:
        return None
    return Finding(Kind.FORMAT, float(slot), wording.fields(usual, gone, new), {"gone": gone, "new": new})
