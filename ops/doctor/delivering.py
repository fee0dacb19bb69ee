"""Do reports reach those who are to have them?"""

from collections.abc import Iterator

from hinomi.clock import JST, SystemClock
from hinomi.words import Words
from ops import report_delivery
from ops.doctor.finding import Check, Part, Patient

_PART = Part("報告書の届け先", "delivery of reports")
_PLACE = Words("reports.deliver の届け先と経路を確かめてください。", "check the places of reports.deliver")


def delivering(patient: Patient) -> Iterator[Check]:
    """What has been waiting for more than an hour, each with its reason."""
    if not patient.settings.reports.deliver:
        return
    waiting = list(report_delivery.stuck(patient.records, SystemClock().now()))
    for one in waiting:
        since, to = f"{one.planned.astimezone(JST):%m/%d %H:%M}", one.folder or one.person
        report = f"{one.report} ({one.organization})" if one.organization else one.report
        yield _PART.bad(
            f"{report} が {since} から {to} に届いていません: {one.reason_ja}",
            f"{report} has not reached {to} since {since}: {one.reason_en}",
            _PLACE,
        )
    if not waiting:
        yield _PART.good("滞りはありません。", "nothing is held up")
