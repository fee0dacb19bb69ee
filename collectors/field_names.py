"""What columns are called by products and by Japanese systems, and the ECS field that each name mostly means.

Used to propose a mapping, never to decide one: a person reads the proposal. A name is compared as `plain` writes it.
"""

import re
import unicodedata

_TABLE: dict[str, str] = {
    "@timestamp": (
        "日時 操作日時 発生日時 処理日時 実行日時 アクセス日時 時刻 タイムスタンプ 年月日時刻 ログ日時 受付日時 登録日時 "
        "timestamp datetime time eventtime createdat createddatetime date occurredat timegenerated eventdate logtime ts"
    ),
    "user.name": (
        "利用者id ユーザーid ユーザid 職員id 職員番号 社員番号 ログインid アカウント アカウント名 利用者 ユーザー ユーザ ユーザー名 "
        "ユーザ名 操作者 操作者id 担当者 実行者 実行アカウント ログイン名 user username userid account accountname login loginid "
        "actor operator principal suser uid employeeid"
    ),
    "user.full_name": "氏名 利用者名 職員名 操作者名 担当者名 表示名 fullname displayname realname 利用者氏名 職員氏名",
    "user.email": "メールアドレス email mail useremail emailaddress mailaddress upn userprincipalname",
    "user.domain": "ドメイン ドメイン名 domain userdomain",
    "source.ip": (
        "ipアドレス 端末ip 端末ipアドレス 接続元ip 接続元ipアドレス 送信元ip 送信元ipアドレス クライアントip クライアントipアドレス "
        "ip srcip src sourceip clientip remoteip remoteaddr ipaddress sourceaddress callerip clientaddress アクセス元 アクセス元ip"
    ),
    "source.port": "送信元ポート 接続元ポート srcport sourceport clientport spt",
    "destination.ip": "宛先ip 宛先ipアドレス 送信先ip 接続先ip 接続先ipアドレス サーバip dstip destip destinationip dst serverip",
    "destination.port": "宛先ポート 接続先ポート dstport destport destinationport dpt",
    "host.name": (
        "端末名 コンピュータ名 コンピューター名 マシン名 ホスト名 pc名 クライアント名 端末 機器名 サーバ名 サーバー名 host hostname "
        "computer computername machinename devicename device terminal"
    ),
    "event.action": (
        "操作 処理 イベント 操作内容 操作種別 処理種別 処理名 機能 機能名 アクション イベント名 種別 action operation event eventname "
        "eventtype activity operationname"
    ),
    "event.outcome": (
        "結果 処理結果 操作結果 実行結果 成否 ステータス 状態 result outcome status resulttype success"
    ),
    "event.code": "イベントid コード メッセージid エラーコード eventid code messageid errorcode resultcode",
    "event.reason": "理由 エラー内容 原因 reason error errormessage",
    "log.level": "レベル 重要度 ログレベル level severity loglevel priority",
    "message": "内容 メッセージ 詳細 備考 説明 補足 message msg detail details description text",
    "file.name": "ファイル名 ファイル 文書名 添付ファイル名 filename file documentname objectname",
    "file.path": "ファイルパス パス 保存先 filepath path fullpath",
    "file.size": "ファイルサイズ サイズ filesize size",
    "url.original": "url アドレス アクセス先 接続先url uri requesturl",
    "http.request.method": "メソッド method httpmethod requestmethod",
    "http.response.status_code": "ステータスコード statuscode httpstatus responsecode httpstatuscode",
    "user_agent.original": "ユーザーエージェント ブラウザ ブラウザー useragent agent browser",
    "process.name": "プロセス名 プログラム名 アプリケーション名 processname process program application",
    "process.pid": "プロセスid pid processid",
    "email.subject": "件名 題名 subject",
    "email.from.address": "差出人 送信者 from sender fromaddress mailfrom",
    "email.to.address": "宛先 受信者 to recipient recipients toaddress rcptto",
    "group.name": "グループ グループ名 group groupname",
    "source.bytes": "送信バイト数 送信サイズ sentbytes bytesout bytessent",
    "destination.bytes": "受信バイト数 受信サイズ recvbytes bytesin bytesreceived",
    "network.transport": "プロトコル protocol proto transport",
    "rule.name": "ルール ルール名 ポリシー ポリシー名 rule rulename policy policyname",
}  # fmt: skip
_FIELDS = {name: field for field, names in _TABLE.items() for name in names.split()}
OUTCOMES = {
    "success": "成功 正常 ok 完了 可 許可 正常終了 success succeeded successful true s 0 pass allow allowed",
    "failure": "失敗 異常 ng エラー 不可 拒否 異常終了 中断 権限なし failure failed fail error false f denied deny",
}
_OUTCOMES = {word: outcome for outcome, words in OUTCOMES.items() for word in words.split()}


def plain(name: str) -> str:
    """A column name without what spellings differ in: width, case, blanks, `_`, `-`, what stands before a dot."""
    folded = unicodedata.normalize("NFKC", name).lower().strip()
    last = folded.rsplit(".", 1)[-1]
    return re.sub(r"[\s_\-・()（）]+", "", last)


def field_of(name: str) -> str | None:
    """The ECS field that a column of this name mostly is; None where the name says nothing."""
    return _FIELDS.get(plain(name))


def outcome_of(word: str) -> str | None:
    """`success` or `failure` where a word for a result is one of the plain ones."""
    return _OUTCOMES.get(unicodedata.normalize("NFKC", word).lower().strip())
