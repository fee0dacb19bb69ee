"""Reports that the clock makes: the whole tower's, and those of organisations that have their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hinomi.clock import FixedClock
from hinomi.errors import HinomiError
from hinomi.store import Events, Records
from ops import schedule
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings

MORNING = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
FIRST_OF_A_MONTH = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
TOWNS = {"higashi": {"name_ja": "東町"}, "nishi": {}}


@contextmanager
def _tower(
    data: Path, reports: dict[str, Any], now: datetime = MORNING
) -> Iterator[tuple[Role, Events, Records]]:
    settings = Settings.model_validate({"organizations": TOWNS, "reports": reports})
    role = Role("respond", data, settings, RunDir.of(data), clock=FixedClock(now))
    events, records = role.events(), role.records()
    try:
        yield role, events, records
    finally:
        events.close()
        records.close()


def test_the_digest_of_yesterday_is_made_for_each(tmp_path: Path) -> None:
    """One of the tower, one of the organisation that is named and none of the other; the records say whose each is, and the
    place of that organisation gets its own alone."""
    place = {"folder": str(tmp_path / "share"), "organization": "higashi", "forms": ["html"]}
    with _tower(tmp_path, {"organizations": ["higashi"], "deliver": [place]}) as (role, events, records):
        schedule.daily_digest(role, events, records)
        whole, own = "daily-digest-2026-11-19.ja", "daily-digest-2026-11-19.higashi.ja"
        found = {one.id: one.body["organization"] for one in records.find("report")}
        assert found == {whole: "", own: "higashi"}
        assert all((tmp_path / "reports" / f"{stem}.pdf").exists() for stem in (whole, own))
        [parcel] = records.find("report_delivery")
        assert [Path(name).name for name in parcel.body["files"]] == [f"{own}.html"]


def test_a_report_that_cannot_be_made_keeps_no_other_back(tmp_path: Path) -> None:
    """Where one organisation's fails the others' and all of the tower are made; who reads the journal is told whose it was."""
    (tmp_path / "reports" / "monthly-committee-2026-11-01.higashi.ja.html" / "in the way").mkdir(parents=True)
    wanted = {"organizations": ["higashi", "nishi"]}
    with (
        _tower(tmp_path, wanted, FIRST_OF_A_MONTH) as (role, events, records),
        capture_logs() as said,
        pytest.raises(HinomiError, match="monthly-committee higashi"),
    ):
        schedule.period_reports(role, events, records)
    made = {path.name.removesuffix(".pdf") for path in (tmp_path / "reports").glob("*.pdf")}
    assert made == {
        f"{name}-2026-11-01{whose}.ja"
        for name in ("monthly-committee", "telework")
        for whose in ("", ".higashi", ".nishi")
        if (name, whose) != ("monthly-committee", ".higashi")
    }
    [told] = [one for one in said if one["event"] == "job_failed"]
    assert (told["job"], told["organization"]) == ("monthly-committee", "higashi")
