"""The whole examination: every part in turn."""

from collections.abc import Callable, Iterator

from hinomi.errors import HinomiError
from ops.doctor.arriving import listeners, not_understood, rhythm, spool
from ops.doctor.calling import calling
from ops.doctor.certificates import certificates
from ops.doctor.connectors import connectors
from ops.doctor.content import own_files, rules
from ops.doctor.delivering import delivering
from ops.doctor.finding import Check, Part, Patient
from ops.doctor.losses import losses
from ops.doctor.processes import processes
from ops.doctor.proof import audit, console
from ops.doctor.room import disk, store
from ops.doctor.sharing import sharing

CHECKS: dict[Part, Callable[[Patient], Iterator[Check]]] = {
    Part("プロセス", "processes"): processes,
    Part("受け口", "listeners"): listeners,
    Part("証明書", "certificates"): certificates,
    Part("ログの届き方", "rhythm of sources"): rhythm,
    Part("スプール", "spool"): spool,
    Part("ディスク", "disk"): disk,
    Part("保管庫", "store"): store,
    Part("解析できなかった行", "lines not understood"): not_understood,
    Part("市の定義と一覧", "own files"): own_files,
    Part("共有した決定", "shared decisions"): sharing,
    Part("ルール", "rules"): rules,
    Part("検知の取りこぼし", "losses of detection"): losses,
    Part("当番と通知", "on call"): calling,
    Part("接続先", "connectors"): connectors,
    Part("報告書の届け先", "delivery of reports"): delivering,
    Part("監査記録", "audit log"): audit,
    Part("画面", "console"): console,
}


def examine(patient: Patient) -> Iterator[Check]:
    """Every check in turn; a check that itself fails is a finding."""
    for part, check in CHECKS.items():
        try:
            yield from check(patient)
        except HinomiError as error:
            yield part.bad(error.ja, error.en)
        except (
            Exception
        ) as error:  # whatever a file or record holds: the other checks are wanted all the more
            said = f"{type(error).__name__}: {error}"
            yield part.bad(f"調べられませんでした({said})。", f"could not be looked at ({said})")
