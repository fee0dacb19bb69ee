"""Whoever decides from the command line shows who they are."""

from dashboards.users import Users
from hinomi.errors import InputError
from ops import asking
from ops.opened import Opened, operator


def signed_in(place: Opened, account: str) -> tuple[str, list[str]]:
    """Account and roles of who decides, shown by the same password as in the console. Raises InputError, audited, for a wrong one."""
    password = asking.password("パスワード / password")
    user = Users(place.records, place.clock).verify(account, password)
    if user is None:
        details = {"outcome": "failure"}
        place.desk.audit.append(actor=account, action="cli.sign_in", target=operator(), details=details)
        raise InputError("アカウントかパスワードが違います。", "wrong account or password")
    return user.name, list(user.roles)
