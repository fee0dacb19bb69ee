"""Which page of a list is meant."""


def page_number(asked: str, total: int, size: int) -> int:
    """The page that the address line asks for, within what there is; the first where it says nothing useful."""
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    return max(1, min(number, pages(total, size)))


def pages(total: int, size: int) -> int:
    """How many pages a list has; one at least."""
    return max(1, -(-total // size))
