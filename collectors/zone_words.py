"""Zone words of device clocks as minutes ahead of UTC, as far as a word means one offset.

Source: the words of IANA's tz database and RFC 5322 4.3. `CST` is the American one there (China writes it, too: devices
in Japan write JST); `IST` and `AST` mean several and are left out, as are words that an administrator made up.
"""

OFFSETS = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "WET": 0,
    "WEST": 60,
    "BST": 60,
    "CET": 60,
    "CEST": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "JST": 540,
    "KST": 540,
    "HKT": 480,
    "SGT": 480,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "BRT": -180,
    "BRST": -120,
    "ART": -180,
    "HST": -600,
    "AKST": -540,
    "AKDT": -480,
}
