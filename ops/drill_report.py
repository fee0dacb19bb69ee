"""The report of one drill, in both languages and in every form that reports have: what clause 5.2 asks to be shown of it
(the result and how fast the first response was), and what people must still write in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from dashboards import times
from dashboards.reporting.document import Block, Document, Origin, Paragraph, Part, Table
from dashboards.reporting.publish import publish
from dashboards.texts import Texts
from hinomi.incident import GRADES, Incident
from hinomi.words import Language, Words
from responders.playbooks.run import Run
from responders.roles import OFFICES

LABEL = Words("訓練", "Drill")
TITLE = Words("インシデント対応訓練 報告書", "Incident response drill: report")
GOALS = {"detect": 300, "notify": 60, "acknowledge": 900, "approve": 1800, "contain": 60, "draft": 3600}
"""Seconds: this tool's proposal for each interval; a city sets its own in its plan."""
STAGES = {
    "detect": Words("検知(証拠の行が届いてから)", "detected (since the line that shows it arrived)"),
    "notify": Words("通知(検知から)", "told (since detected)"),
    "acknowledge": Words("対応を始めた(通知から)", "acknowledged (since told)"),
    "approve": Words("承認(対応を始めてから)", "approved (since acknowledged)"),
    "contain": Words("封じ込めの予行(承認から)", "containment rehearsed (since approved)"),
    "draft": Words("報告の下書き(対応を始めてから)", "report drafted (since acknowledged)"),
}
BY_PEOPLE = ("acknowledge", "approve")
"""Stages that wait for people: where the drill goes on in their place, nothing about them was measured."""
CITY = Words("【訓練】火の見市(架空)", "[Drill] Hinomi City (invented)")
_BLANK = Words("【要記入】", "[to be written in]")
_TOOK_PART = Words("参加者と役割", "Who took part, and as what")
_SAID_BY_PEOPLE = {
    _TOOK_PART: Words(
        "所属・氏名・役職。CISO など幹部を含む", "section, name, office; executives such as the CISO included"
    ),
    Words("うまくいったこと", "What went well"): Words("手順書どおりに進んだこと", "what went by the book"),
    Words("気付いたこと", "What was noticed"): Words(
        "遅れた段階、迷った判断、つながらなかった連絡先",
        "stages that were late, doubts, contacts that did not answer",
    ),
    Words("改善すること", "What is to be mended"): Words("内容・担当・期限", "what, by whom, by when"),
    Words("次の訓練", "The next drill"): Words("時期と想定", "when, and what is assumed"),
}
_COURSE = Words("経過と初動の時間", "Course, and how fast the first response was")


@dataclass(slots=True)
class Course:
    """What happened in a drill. at: when each stage was over; took: seconds of each; stuck: the stage that never came;
    told: when, whom, of what; people: who took part, as they were named; names: of the
    accounts of those on call."""

    began: datetime
    ended: datetime
    by_hand: bool
    at: Mapping[str, datetime]
    took: Mapping[str, float]
    incident: Incident | None = None
    run: Run | None = None
    stuck: str = ""
    told: Sequence[tuple[datetime, Words, Words]] = field(default_factory=list)
    people: Sequence[str] = ()
    names: Mapping[str, Words] = field(default_factory=dict)

    @property
    def measured(self) -> dict[str, float]:
        """The stages whose seconds mean something."""
        return {stage: took for stage, took in self.took.items() if self.by_hand or stage not in BY_PEOPLE}

    @property
    def result(self) -> Words:
        """In a line: how many stages were in time, and where it ended early."""
        measured = self.measured
        good = sum(took <= GOALS[stage] for stage, took in measured.items())
        said = Words(
            f"測った {len(measured)} 段階のうち {good} 段階が目安以内",
            f"{good} of {len(measured)} measured stages within the goal",
        )
        if not self.stuck:
            return said
        stage = STAGES.get(self.stuck, Words(self.stuck, self.stuck))
        return Words(
            f"{said.ja}、次の段階まで進まなかった: {stage.ja}", f"{said.en}; it never came to: {stage.en}"
        )


def seconds(took: float, language: Language) -> str:
    """`6.9 秒`, from a minute on `14分`."""
    if took < 60:
        return f"{took:.1f} {'秒' if language == 'ja' else 's'}"
    return times.duration(timedelta(seconds=took), language)


def written(course: Course, folder: Path) -> Path:
    """The report in the folder, Japanese and English; the path of the Japanese PDF."""
    languages: tuple[Language, Language] = ("ja", "en")
    made = [publish(_document(course, language), folder) for language in languages]
    return next(one.path for one in made[0] if one.path.suffix == ".pdf")


def _document(course: Course, language: Language) -> Document:
    return Document(
        name="drill-report",
        title=TITLE,
        organization=CITY.of(language),
        language=language,
        start=course.began,
        end=course.ended,
        created=course.ended,
        summary=_summary(course, language),
        parts=[
            _course_part(course, language),
            *_case_parts(course, language),
            _clause_part(language),
            _people_part(course, language),
        ],
        origins=[
            Origin(
                _COURSE.of(language),
                "event.created; records incident, notification, approval, playbook_run",
                course.began,
                course.ended,
            )
        ],
    )


def _summary(course: Course, language: Language) -> list[str]:
    lines = [
        Words(
            "想定: VPN パスワードスプレーから LGWAN 接続系への到達(架空の市の1日分のログを、実際の経路で流した)",
            "Assumed: from a VPN password spray into the LGWAN segment (a day of an invented city's logs, sent the real way)",
        ),
        course.result,
        Words("対応の開始と承認は職員が行った", "People acknowledged and approved")
        if course.by_hand
        else Words(
            "対応の開始と承認はツールが代わりに行った(人の時間は測っていない)",
            "The tool acknowledged and approved in people's place: their time was not measured",
        ),
    ]
    return [one.of(language) for one in lines]


def _course_part(course: Course, language: Language) -> Part:
    head = Words("段階|時刻|かかった時間|目安|判定", "stage|at|took|goal|result").of(language).split("|")
    rows = [_stage_row(course, stage, language) for stage in STAGES]
    note = Words(
        "目安は本ツールの提案です。市の計画で定めたものに読み替えてください。",
        "Goals are this tool's proposal: read those of the city's plan in their place.",
    )
    return Part(_COURSE.of(language), [Table(tuple(head), rows), Paragraph(note.of(language), "small")])


def _stage_row(course: Course, stage: str, language: Language) -> tuple[str, ...]:
    goal, took = seconds(GOALS[stage], language), course.took.get(stage)
    if took is None:
        return (
            STAGES[stage].of(language),
            "—",
            "—",
            goal,
            Words("行われなかった", "did not come").of(language),
        )
    at = times.clock_time(course.at[stage])
    if stage not in course.measured:
        return (STAGES[stage].of(language), at, "—", goal, Words("測っていない", "not measured").of(language))
    result = Words("目安以内", "within") if took <= GOALS[stage] else Words("目安を超過", "beyond")
    return (STAGES[stage].of(language), at, seconds(took, language), goal, result.of(language))


def _case_parts(course: Course, language: Language) -> list[Part]:
    parts = []
    if course.incident is not None:
        parts.append(_incident_part(course, course.incident, language))
    if course.run is not None:
        parts.append(_plan_part(course, course.run, language))
    return parts


def _incident_part(course: Course, incident: Incident, language: Language) -> Part:
    texts, grade = Texts(language), GRADES[incident.grade]
    lines = [
        Words(f"#{incident.number} {incident.title_ja}", f"#{incident.number} {incident.title_en}"),
        Words(
            f"段階 {incident.grade}({grade.ja}): {incident.grade_reason_ja}",
            f"Grade {incident.grade} ({grade.en}): {incident.grade_reason_en}",
        ),
    ]
    head = Words("時刻|通知した相手|件名", "at|told|subject").of(language).split("|")
    rows = [
        (times.clock_time(at), who.of(language), subject.of(language)) for at, who, subject in course.told
    ]
    blocks: list[Block] = [Paragraph(one.of(language)) for one in lines]
    return Part(
        Words("事案と通知", "Incident and messages").of(language),
        [*blocks, Table(tuple(head), rows, empty=texts("drill.none"))],
    )


def _plan_part(course: Course, run: Run, language: Language) -> Part:
    texts, office = Texts(language), OFFICES[run.approver]
    accounts = [*run.approved_by] or [run.decided_by or "—"]
    who = texts("mark.comma").join(course.names.get(one, Words(one, one)).of(language) for one in accounts)
    if not course.by_hand:
        who += Words("(ツールが代わりに承認)", " (the tool approved in their place)").of(language)
    lead = Words(
        f"計画「{run.title_ja}」(予行。何も止めていません)。決める役職: {office.ja}、決めた人: {who}",
        f"Plan “{run.title_en}” (dry run: nothing was stopped). Decided by office: {office.en}; person: {who}",
    )
    head = tuple(texts(f"drill.{key}") for key in ("step", "state", "result"))
    rows = [
        (
            texts.of(step.title_ja, step.title_en),
            texts(f"stepstate.{step.state.value}"),
            texts.of(step.result_ja, step.result_en),
        )
        for step in run.steps
    ]
    return Part(
        Words("承認した計画と手順", "The plan that was approved, and its steps").of(language),
        [Paragraph(lead.of(language)), Table(head, rows, empty=texts("drill.none"))],
    )


def _clause_part(language: Language) -> Part:
    lines = [
        Words(
            "対策基準 5.2(研修・訓練)は、幹部を含む全職員の定期的な研修と、緊急時を想定した訓練を求めています。",
            "Clause 5.2 (training and drills) asks for regular training of all staff, executives included, and drills for emergencies.",
        ),
        Words(
            "この報告書が示すのは、緊急時対応訓練の結果と初動の時間です。職員の研修(CYDER の受講など)は含みません。"
            "行った研修は hinomi exercises add で記録でき、年次の遵守状況報告の根拠になります。",
            "This report shows the result of an emergency drill and how fast the first response was. Trainings of staff (CYDER courses and"
            " the like) are not in it: record them by hinomi exercises add, as grounds for the annual report on compliance.",
        ),
    ]
    blocks: list[Block] = [Paragraph(one.of(language)) for one in lines]
    return Part(Words("ガイドラインとの対応", "What the guideline asks").of(language), blocks)


def _people_part(course: Course, language: Language) -> Part:
    head = Words("項目|内容", "item|what").of(language).split("|")
    rows = [
        (item.of(language), _said(course, item) or f"{_BLANK.of(language)} {hint.of(language)}")
        for item, hint in _SAID_BY_PEOPLE.items()
    ]
    return Part(Words("人が書くこと", "For people to write").of(language), [Table((head[0], head[1]), rows)])


def _said(course: Course, item: Words) -> str:
    """What is known of it already."""
    return "、".join(course.people) if item == _TOOK_PART else ""
