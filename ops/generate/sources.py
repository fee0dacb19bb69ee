"""Write docs/sources.md: how to connect senders, and the table of every source, made from the sources themselves.

usage: python -m ops.generate.sources
"""

from pathlib import Path

from collectors import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
_FOLDER = Path(__file__).parents[2] / "collectors" / "sources"
_INTRODUCTION = """# ログをつなぐ / Connecting sources

## 最初の1台(5分)

1. `hinomi.yaml` に受け口を書きます。名前は自由で、以後この名前で数え、健康状態を示します。

    ```yaml
    listen:
      fw-edge01:
        kind: tcp            # tcp, udp, tls, relp, http, file, folder
        port: 5514
        source: auto         # 形式を内容から見分け、送り元ごとに固定します。下の表の名前を書いてもかまいません
    ```

2. `hinomi up --data ./hinomi-data --config hinomi.yaml`
3. 機器の送り先をこの番号にします。
4. `hinomi doctor --data ./hinomi-data --config hinomi.yaml` で届いているか、
   `hinomi search --data ./hinomi-data 'hinomi.origin: fw-edge01'` で読めているかを確かめます。

## 送り方ごとの設定 / By transport

| 送り元 | `kind` | 受領確認 | 備考 |
|---|---|---|---|
| ネットワーク機器の syslog | `tcp`、`tls`、`udp` | なし | RFC 5424・3164、オクテット数・改行のどちらの区切りも自動で見分けます |
| rsyslog(omrelp) | `relp` | あり | 失ってはならない経路に |
| Winlogbeat、Filebeat、Fluent Bit、Vector、omelasticsearch | `http` | あり | Elasticsearch の `_bulk` として送ります。`token` が必要です |
| 追記されるファイル | `file` | ― | ローテーション、切り詰め、再起動に耐えます |
| 置かれるファイル(CSV、JSON、EVTX) | `folder` | ― | 読み終えたものは `done` に移します。別名で書いてから名前を変えて置いてください |

TLS は `cert` と `key`、相手の証明書も確かめるときは `ca` を書きます。文字コードは自動で見分けますが、
`encoding: cp932` のように決めることもできます。

Winlogbeat の例 / Winlogbeat:

```yaml
output.elasticsearch:
  hosts: ["https://hinomi.example.jp:9200"]
  api_key: "id:秘密のトークン"
setup.template.enabled: false
setup.ilm.enabled: false
```

## 市独自のシステムを YAML だけで取り込む / Declared mappings

CSV・JSON・key=value のログは、`*.source.yml` を1つ置けば取り込めます(`sources.folders` に置き場所を書く)。手本は
`collectors/sources/city_*.source.yml` の4つです。列名の違いや書き間違いは、ファイル・行・項目を示して知らせます。
解析できなかった行は捨てずに理由とともに保存し、直してから `hinomi replay` で取り込み直せます。

## ソースの一覧 / Sources

| 名前 / name | 製品 / product | 定義 / file | 例 / cases |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [
        f"| `{name}` | {source.title['ja']} / {source.title['en']} | `{_file(name)}` | {_cases(name)} |"
        for name, source in sorted(catalogue.sources().items())
    ]
    return _INTRODUCTION + "\n".join(rows) + "\n"


def _file(name: str) -> str:
    stem = name.replace(".", "_")
    declared = _FOLDER / f"{stem}.source.yml"
    return f"collectors/sources/{declared.name if declared.exists() else f'{stem}.py'}"


def _cases(name: str) -> str:
    test = _FOLDER / f"{name.replace('.', '_')}.test.yml"
    return f"`{test.name}`" if test.exists() else "—"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
