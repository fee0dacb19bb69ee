"""What people are told of a run, in the timeline of its incident."""

from hinomi.words import Words
from responders.playbooks.run import Run, RunState, RunStep, StepState

News = tuple[Run, Words]
WORDS = {
    RunState.RUNNING: Words("実行を始めました", "started"),
    RunState.DONE: Words("終わりました", "is done"),
    RunState.FAILED: Words("失敗した手順があります", "has a step that failed"),
    RunState.DENIED: Words("却下されました", "was denied"),
    RunState.WITHDRAWN: Words(
        "インシデントが終了したか、ほかにまとめられたため、計画を取り下げました",
        "was withdrawn: its incident was closed or joined into another",
    ),
    RunState.UNDONE: Words("元に戻しました", "was undone"),
}
PARTED = Words(
    "対象が別のインシデントに分けられたため、計画を取り下げました",
    "was withdrawn: what it was for was split off into another incident",
)
VOID = Words(
    "承認した人が今は必要な役割を持たないため、承認を取り直します",
    "needs a new approval: who approved it does not hold the role any more",
)
ASKED_ANEW = Words(
    "承認の有効期間が過ぎたため、もう一度承認をお願いしています",
    "needs a new approval: the one before had grown too old when it came to be acted on",
)
OTHER_SYSTEMS = Words(
    "承認のあとに接続先の設定が変わったため、もう一度承認をお願いしています",
    "needs a new approval: other targets are configured since it was approved",
)
UNDO_VOID = Words(
    "求めた人が今は必要な役割を持たないため、元に戻しませんでした",
    "was not undone: who asked for it does not hold the role any more",
)
HALTED = Words(
    "人が実行を止めました。まだ行っていない手順は行わず、行ったことを元に戻します",
    "was stopped by a person: what is not done is not done any more, what was done is put back",
)
TAKEN_UP = Words(
    "「脅威なし」の判断が改められたため、残っていた作業・証拠・報告の手順を続けます。行わなかった操作には、計画を立て直して承認を求めます",
    "goes on with its tasks, evidence and reports: the verdict “no threat” was taken back. "
    "Acts that were not done need a new plan and approval",
)
START_ANEW = Words(
    "インシデントが再び開かれたか、「脅威なし」の判断が改められました。人が始めた計画の操作は自動では求め直しません。必要なら手順書をもう一度始めてください",
    "its incident was opened again, or the verdict “no threat” taken back: a person asked for it, so its acts are not asked for "
    "again by themselves; start the playbook once more where it is needed",
)
COMPENSATED = Words(
    "失敗した手順があったため、それまでに行ったことを元に戻しました",
    "had a step that failed; what it had done was put back",
)


def lifted(step: RunStep) -> Words:
    """An act's time was over; what could not be lifted is not called so."""
    if step.state is not StepState.UNDONE:
        return Words(
            f"期限が来ましたが、解除できません。人が確かめて解除してください: {step.title_ja}",
            f"its time is over and it could not be lifted, a person must: {step.title_en}",
        )
    return Words(f"期限が来たため解除しました: {step.title_ja}", f"lifted after its time: {step.title_en}")
