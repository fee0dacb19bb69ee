"""Family and given names that the invented staff are drawn from: kanji, kana, Hepburn without macrons."""

from typing import NamedTuple


class Name(NamedTuple):
    """One name in its three spellings."""

    kanji: str
    kana: str
    romaji: str


def _read(table: str) -> tuple[Name, ...]:
    return tuple(Name(*entry.split("/")) for entry in table.split())


FAMILY = _read("""
山田/ヤマダ/yamada 佐藤/サトウ/sato 鈴木/スズキ/suzuki 高橋/タカハシ/takahashi 田中/タナカ/tanaka
伊藤/イトウ/ito 渡辺/ワタナベ/watanabe 山本/ヤマモト/yamamoto 中村/ナカムラ/nakamura
小林/コバヤシ/kobayashi 加藤/カトウ/kato 吉田/ヨシダ/yoshida 佐々木/ササキ/sasaki 山口/ヤマグチ/yamaguchi
松本/マツモト/matsumoto 井上/イノウエ/inoue 木村/キムラ/kimura 林/ハヤシ/hayashi 斎藤/サイトウ/saito
清水/シミズ/shimizu 山崎/ヤマザキ/yamazaki 森/モリ/mori 池田/イケダ/ikeda 橋本/ハシモト/hashimoto
阿部/アベ/abe 石川/イシカワ/ishikawa 前田/マエダ/maeda 藤田/フジタ/fujita 小川/オガワ/ogawa
岡田/オカダ/okada 後藤/ゴトウ/goto 長谷川/ハセガワ/hasegawa 村上/ムラカミ/murakami 近藤/コンドウ/kondo
石井/イシイ/ishii 坂本/サカモト/sakamoto 遠藤/エンドウ/endo 青木/アオキ/aoki 藤井/フジイ/fujii
西村/ニシムラ/nishimura 福田/フクダ/fukuda 太田/オオタ/ota 三浦/ミウラ/miura 岡本/オカモト/okamoto
松田/マツダ/matsuda 中島/ナカジマ/nakajima 中川/ナカガワ/nakagawa 原田/ハラダ/harada 小野/オノ/ono
田村/タムラ/tamura 竹内/タケウチ/takeuchi 金子/カネコ/kaneko 和田/ワダ/wada 中山/ナカヤマ/nakayama
石田/イシダ/ishida 上田/ウエダ/ueda 森田/モリタ/morita 原/ハラ/hara 柴田/シバタ/shibata
酒井/サカイ/sakai 工藤/クドウ/kudo 横山/ヨコヤマ/yokoyama 宮崎/ミヤザキ/miyazaki 宮本/ミヤモト/miyamoto
内田/ウチダ/uchida 高木/タカギ/takagi 安藤/アンドウ/ando 谷口/タニグチ/taniguchi 大野/オオノ/ono
丸山/マルヤマ/maruyama 今井/イマイ/imai 河野/コウノ/kono 藤原/フジワラ/fujiwara 小島/コジマ/kojima
久保/クボ/kubo 野口/ノグチ/noguchi 菅原/スガワラ/sugawara 松尾/マツオ/matsuo 千葉/チバ/chiba
桜井/サクライ/sakurai 木下/キノシタ/kinoshita 杉山/スギヤマ/sugiyama 野村/ノムラ/nomura
菊地/キクチ/kikuchi 平野/ヒラノ/hirano 島田/シマダ/shimada 水野/ミズノ/mizuno 渡部/ワタベ/watabe
""")

GIVEN = _read("""
太郎/タロウ/taro 一郎/イチロウ/ichiro 健太/ケンタ/kenta 大輔/ダイスケ/daisuke 拓也/タクヤ/takuya
翔太/ショウタ/shota 直樹/ナオキ/naoki 和也/カズヤ/kazuya 達也/タツヤ/tatsuya 哲也/テツヤ/tetsuya
誠/マコト/makoto 隆/タカシ/takashi 浩/ヒロシ/hiroshi 修/オサム/osamu 剛/ツヨシ/tsuyoshi 学/マナブ/manabu
亮/リョウ/ryo 悠斗/ユウト/yuto 陽介/ヨウスケ/yosuke 雄一/ユウイチ/yuichi 賢治/ケンジ/kenji
正樹/マサキ/masaki 博之/ヒロユキ/hiroyuki 智也/トモヤ/tomoya 聡/サトシ/satoshi 圭介/ケイスケ/keisuke
俊介/シュンスケ/shunsuke 美咲/ミサキ/misaki 陽子/ヨウコ/yoko 恵子/ケイコ/keiko 裕子/ユウコ/yuko
由美/ユミ/yumi 真由美/マユミ/mayumi 久美子/クミコ/kumiko 智子/トモコ/tomoko 麻衣/マイ/mai 愛/アイ/ai
彩/アヤ/aya 舞/マイ/mai 香織/カオリ/kaori 直美/ナオミ/naomi 明美/アケミ/akemi 千尋/チヒロ/chihiro
美穂/ミホ/miho 奈々/ナナ/nana 綾子/アヤコ/ayako 文子/フミコ/fumiko 和子/カズコ/kazuko 里奈/リナ/rina
葵/アオイ/aoi 結衣/ユイ/yui 遥/ハルカ/haruka 優子/ユウコ/yuko 理恵/リエ/rie 純子/ジュンコ/junko
""")
