"""Runs one job in a process that the server has forked. Standalone: the server imports it by its path."""

import atexit
import gc
import io
import os
import re
import signal
import sys
import tempfile
import threading
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn

PYTHON = re.compile(r"python(3(\.\d+)?)?")
# What Python and the numeric libraries read once, when they start: a fork comes too late for these.
READ_AT_START = re.compile(r"(PYTHON(?!UNBUFFERED)|LD_|DYLD_|OMP_|KMP_|OPENBLAS_|MKL_|NUMEXPR_|ARROW_|MALLOC_).*")
STREAMS = ((1, "stdout", "strict"), (2, "stderr", "backslashreplace"))
COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, NO_SCRIPT = 127, 126, 2


def run(command: list[str], environment: dict[str, str], given: set[str]) -> NoReturn:
    """Become a command in this process; `given` are the names of the variables that the job itself asked for."""
    replace_environment(environment)
    position = script_position(command)
    if position and not any(READ_AT_START.fullmatch(name) for name in given):
        script = Path(command[position])
        if not is_shadowed(script.resolve().parent):
            run_script(script, command[position:])
    execute(command, environment)


def script_position(command: list[str]) -> int:
    """Return where in a command its script stands, if it runs one in Python with no options but -u; otherwise 0."""
    if not PYTHON.fullmatch(Path(command[0]).name):
        return 0
    position = 2 if command[1:2] == ["-u"] else 1
    return position if command[position:] and command[position].endswith(".py") else 0


def is_shadowed(folder: Path) -> bool:
    """Tell whether a script's folder has modules whose names the server has already given to others."""
    siblings = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    return not siblings.isdisjoint(sys.modules)


def replace_environment(environment: dict[str, str]) -> None:
    """Give this process exactly these variables."""
    os.environ.clear()
    os.environ.update(environment)


def execute(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process by a command."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program = sys.executable if PYTHON.fullmatch(Path(command[0]).name) else command[0]
    try:
        # Python finds its environment by the name that it is called by.
        os.execvpe(program, [program, *command[1:]], environment)  # noqa: S606 no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(COMMAND_NOT_FOUND if isinstance(error, FileNotFoundError) else COMMAND_NOT_EXECUTABLE)


def run_script(script: Path, arguments: list[str]) -> NoReturn:
    """Run a file as `python file arguments...` would, in this process."""
    reset(arguments)
    path = str(script.absolute())
    main = make_main(path)
    sys.path.insert(0, str(script.resolve().parent))
    try:
        source = script.read_bytes()
    except OSError as error:
        sys.stderr.write(f"python3: can't open file '{path}': [Errno {error.errno}] {error.strerror}\n")
        finish(NO_SCRIPT)
    try:
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 the job's own program
    except BaseException as error:  # what Python itself catches when a program ends
        finish(report(error))
    finish(0)


def reset(arguments: list[str]) -> None:
    """Undo what the server has done to the interpreter, and what a fork must not share."""
    gc.enable()
    sys.argv[:] = arguments
    sys.orig_argv[:] = [sys.executable, *arguments]
    tempfile.tempdir = None
    for number, name, errors in STREAMS:
        raw = io.FileIO(number, "wb", closefd=False)
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if process := sys.modules.get("multiprocessing.process"):
        process.ORIGINAL_DIR = str(Path.cwd())  # type: ignore[attr-defined]


def make_main(path: str) -> types.ModuleType:
    """Make the `__main__` module of a script."""
    main = types.ModuleType("__main__")
    main.__dict__.update(
        __file__=path,
        __builtins__=sys.modules["builtins"],
        __cached__=None,
        __loader__=SourceFileLoader("__main__", path),
    )
    sys.modules["__main__"] = main
    return main


def report(error: BaseException) -> int:
    """Print what Python prints when an error ends a program, and return the exit status."""
    if isinstance(error, SystemExit):
        return status_of(error.code)
    # The first frame is this module's.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def status_of(code: Any) -> int:
    """Return the exit status that `sys.exit(code)` means."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def finish(status: int) -> NoReturn:
    """End the process in the order in which Python does, but leave its memory to the system."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        flush()
    except BaseException as error:  # there is nobody left to catch it
        sys.excepthook(type(error), error, error.__traceback__)
        status = status or 120
    os._exit(status)


def flush() -> None:
    """Write out every file that the program left open, text before the bytes below it."""
    files = [thing for thing in gc.get_objects() if isinstance(thing, io.TextIOWrapper | io.BufferedWriter)]
    for file in sorted(files, key=lambda file: isinstance(file, io.BufferedWriter)):
        if not file.closed:
            file.flush()
