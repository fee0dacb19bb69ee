"""That logs are kept for the period laid down is proved by the worst dataset, not by the best, an import or a hold."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from dashboards.compliance.checks import Look, Outcome, kept_a_year
from dashboards.compliance.keeping import Keeping, Kept, keeping
from dashboards.reporting.document import Ingredients, Table
from dashboards.reports import monthly_committee
from hinomi.batch import Batch
from hinomi.retention import DEFAULTS, Period
from hinomi.words import Words
from responders.incidents import holds
from tests.dashboards.city import NOW, City

DAY = timedelta(days=1)
TOWN = "town"


def _store(city: City, dataset: str, ages: Iterable[int]) -> None:
    """An event on each of the days that are so many days old, each taken in on its day."""
    batches = []
    for age in ages:
        at = NOW - age * DAY
        row = {"@timestamp": at, "event.id": f"{dataset}-{age}", "hinomi.organization": TOWN}
        batches.append(Batch.of(dataset, pl.DataFrame([row]), origin="test", ingested=at))
    city.events.append(batches)


def _of(city: City, *periods: Period) -> Ingredients:
    return Ingredients(city.events, city.records, city.clock, "火の見市", periods=[*periods, *DEFAULTS])


def _asked(of: Ingredients) -> Outcome:
    return kept_a_year(Look(of), None)


def _one(of: Ingredients, dataset: str) -> Keeping:
    return next(one for one in keeping(of) if one.dataset == dataset)


def _monthly(of: Ingredients) -> dict[str, tuple[str, ...]]:
    """Dataset → its row of the proof of retention."""
    made = monthly_committee.make(of, NOW, "ja")
    part = next(part for part in made.parts if part.title == "ログの保存期間の証明")
    table = next(block for block in part.blocks if isinstance(block, Table))
    return {row[0]: row for row in table.rows}


def test_the_worst_dataset_decides_and_is_named(bare_city: City) -> None:
    """One dataset of 400 days says nothing of two of ten and eight days."""
    _store(bare_city, "squid.access", range(400))
    _store(bare_city, "microsoft.windows_event", range(11))
    _store(bare_city, "fortinet.fortigate", range(9))
    outcome = _asked(_of(bare_city))
    assert not outcome.good
    assert "microsoft.windows_event 10日/365日" in outcome.words.ja
    assert "fortinet.fortigate 8/365 d" in outcome.words.en
    assert "squid.access" not in outcome.words.ja
    assert {name: row[2:5] for name, row in _monthly(_of(bare_city)).items()} == {
        "fortinet.fortigate": ("8", "365", "足りない"),
        "microsoft.windows_event": ("10", "365", "足りない"),
        "squid.access": ("399", "365", "足りている"),
    }


def test_every_dataset_for_its_own_period(bare_city: City) -> None:
    """What is to be kept for 90 days is enough with 90, what is to be kept for three years is not with one."""
    short = Period(datasets=["squid"], days=90, reason_ja="市の定め", reason_en="city rule")
    long = Period(datasets=["city."], days=1095, reason_ja="市の定め", reason_en="city rule")
    _store(bare_city, "squid.access", range(91))
    _store(bare_city, "fortinet.fortigate", range(366))
    assert _asked(_of(bare_city, short, long)).good
    _store(bare_city, "city.resident_view", range(400))
    outcome = _asked(_of(bare_city, short, long))
    assert not outcome.good
    assert "city.resident_view 399日/1095日" in outcome.words.ja
    assert _monthly(_of(bare_city, short, long))["squid.access"][2:5] == ("90", "90", "足りている")


def test_an_imported_log_and_a_hold_prove_nothing(bare_city: City) -> None:
    """A day of long ago beside thirty days, imported or held, leaves thirty days."""
    _store(bare_city, "squid.access", [*range(31), 500])
    assert _one(_of(bare_city), "squid.access").days == 30
    _store(bare_city, "fortinet.fortigate", range(41))
    hold = holds.Hold(
        incident_id="i",
        number=1,
        datasets=["fortinet.fortigate"],
        start=NOW - 41 * DAY,
        end=NOW - 21 * DAY,
        by="k.mori",
        reason="捜査のため",
        begun=NOW,
    )
    bare_city.records.put(holds.KIND, "i", hold.model_dump(mode="json"))
    assert _one(_of(bare_city), "fortinet.fortigate").days == 20


def test_a_young_tower_is_not_there_yet(bare_city: City) -> None:
    """Nothing is evidenced and nothing is lost: the words say that the tower is young."""
    _store(bare_city, "squid.access", range(31))
    outcome = _asked(_of(bare_city))
    assert not outcome.good
    assert "運用開始から日が浅い" in outcome.words.ja
    assert _one(_of(bare_city), "squid.access").state is Kept.YOUNG
    assert not _asked(Ingredients(bare_city.events, bare_city.records, bare_city.clock)).good


@pytest.mark.parametrize(("every", "good"), [(5, True), (20, False)])
def test_a_dataset_that_pauses_may_have_paused_where_its_period_begins(
    bare_city: City, every: int, good: bool
) -> None:
    """Retention leaves 365 days: of one that logs every fifth day the oldest left may be 361 days old. Not more than 14."""
    _store(bare_city, "fortinet.fortigate", range(400))
    _store(bare_city, "city.portal_application", range(1, 362 if every == 5 else 350, every))
    assert _asked(_of(bare_city)).good is good


def test_days_without_records_are_named(bare_city: City) -> None:
    """A gap of ten days in a year is told, in the control and in the monthly report; it leaves the period what it is."""
    _store(bare_city, "squid.access", [age for age in range(400) if not 100 <= age < 110])
    outcome = _asked(_of(bare_city))
    assert outcome.good
    assert "途切れ 10日" in outcome.words.ja
    assert _monthly(_of(bare_city))["squid.access"][5] == "10"


def test_the_longest_gap_is_named_first(bare_city: City) -> None:
    """Also where it is of the last of more datasets than a line names."""
    for number in range(7):
        _store(bare_city, f"vendor.log{number}", [*range(7), *range(15 + number, 30)])
    said = _asked(_of(bare_city)).words
    assert "記録のない日が続くもの: vendor.log6(途切れ 14日)" in said.ja
    assert "vendor.log0" not in said.en.split("days without records")[1]


def test_of_one_organisation_the_same(bare_city: City) -> None:
    """A report of one organisation counts its own days."""
    _store(bare_city, "squid.access", [age for age in range(60) if age not in range(20, 30)])
    whole = replace(_of(bare_city), organizations={TOWN: Words("町", "Town")})
    assert keeping(whole.part_of(TOWN)) == keeping(whole)
