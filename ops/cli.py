"""The command `hinomi`. Each file in `ops/commands/` adds one command; being in the folder is enough."""

import importlib
import logging
import os
import pkgutil
import re
import sys

import typer
from typer._click.exceptions import ClickException

import ops.commands
from hinomi import __version__
from hinomi.collecting import no_collection
from hinomi.errors import HinomiError, InputError
from hinomi.named import why
from hinomi.text import inert
from ops import standard_streams
from ops.usage import tell

ABOUT = """火の見 — 自治体のためのセキュリティ監視・インシデント対応

Security monitoring and incident response for local governments.
"""

_INTERRUPTED, _UNEXPECTED = 130, 70
_NO_TEXT = re.compile("[\ud800-\udfff]")
"""What Python makes of bytes that are not UTF-8."""

app = typer.Typer(
    name="hinomi",
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hinomi {__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="版を表示 / show the version"
    ),
) -> None:
    pass


def _register(asked: str) -> None:
    """Add the command asked for (its file has its name), or all of them for the help: imports cost a second."""
    if asked == "--version":
        return
    names = sorted(module.name for module in pkgutil.iter_modules(ops.commands.__path__))
    for name in [asked] if asked in names else names:
        importlib.import_module(f"ops.commands.{name}").register(app)


def _journal() -> None:
    """What our own parts log while a command runs (a damaged record, say) goes to standard error, not among its answer."""
    if "structlog" in sys.modules:  # else no part that logs is there, and loading it takes time
        from ops import journal

        journal.configure("command", level=logging.WARNING)


def whole() -> typer.Typer:
    """The app with all of its commands."""
    _register("")
    return app


def main() -> None:
    """Run one command. Errors are sentences with an exit code, never a stack trace."""
    standard_streams.mend()
    try:
        with no_collection():
            _register(sys.argv[1] if len(sys.argv) > 1 else "")
            _journal()
        code = app(standalone_mode=False)
        with standard_streams.writing():
            sys.stdout.flush()
        if code == _INTERRUPTED:  # which the library keeps to itself
            raise KeyboardInterrupt
    except ClickException as error:
        sys.exit(tell(error))
    except HinomiError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `hinomi … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (KeyboardInterrupt, typer.Abort):
        _say("中断しました。(interrupted)")
        sys.exit(_INTERRUPTED)
    except Exception as error:  # the last stand: a sentence for the person, the trace only on request
        if os.environ.get("HINOMI_DEBUG"):
            raise
        sys.exit(_last_stand(error))
    sys.exit(code)


def _last_stand(error: Exception) -> int:
    """Say what nobody foresaw; the exit code."""
    if isinstance(error, OSError) and error.filename is not None:
        reason = why(error)
        place = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else error.filename
        _say(
            f"{place}: 読み書きできません({reason.ja})。\n"
            f"(cannot be read or written: {reason.en}; HINOMI_DEBUG=1 shows where)"
        )
        return HinomiError.exit_code
    if isinstance(error, (TypeError, UnicodeError)) and any(map(_NO_TEXT.search, sys.argv)):
        _say(
            "引数に UTF-8 でない文字があります。端末の文字コードを UTF-8 にしてください。\n"
            "(an argument is not UTF-8; set the terminal to UTF-8)"
        )
        return InputError.exit_code
    _say(
        f"予期しない誤りです: {type(error).__name__}: {error}\n"
        "(unexpected error; run again with HINOMI_DEBUG=1 for details to report)"
    )
    return _UNEXPECTED


def _say(text: str) -> None:
    """On standard error. What a log line, a file's name or an argument brought into it reaches no terminal as it is."""
    print("\n".join(map(inert, text.split("\n"))), file=sys.stderr)
    standard_streams.leave()


if __name__ == "__main__":
    main()
