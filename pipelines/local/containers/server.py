"""The warm server: a process that has loaded the heavy libraries once and forks every job.

Started by its path, with a socket's file descriptor and a folder to make: `python -P server.py 5 /tmp/tools`. It
stands alone, on the standard library only, so that it is there at once and puts nothing of this package into a job.
Messages are lines of JSON. In: `{"start": id, ...}` and `{"signal": id, "number": n}`. Out:
`{"started": id, "pid": p, "isolated": bool}` and `{"ended": id, "status": s}`. When the other end closes, every job
is killed.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import site
import socket
import sys
import warnings
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pipelines.local.containers import isolation, script, workplace
else:
    # By their paths, and leaving no names behind that a job's own modules could have.
    sys.path.insert(0, str(Path(__file__).parent))
    isolation, script, workplace = map(importlib.import_module, ("isolation", "script", "workplace"))
    del sys.path[0], sys.modules["isolation"], sys.modules["script"], sys.modules["workplace"]

Message = dict[str, Any]

# In small pieces, lightest first: a job that is asked for meanwhile waits for the piece that is being loaded. One that
# names the library that it uses waits for that, for it would only do the same work once more.
PRELOAD = (
    "numpy",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pandas",
    "scipy.sparse",
    "scipy.special",
    "scipy.linalg",
    "scipy.spatial",
    "scipy.optimize",
    "scipy.ndimage",
    "scipy.integrate",
    "scipy.interpolate",
    "scipy.stats",
    "sklearn.utils",
    "sklearn.metrics",
    "sklearn.model_selection",
    "xgboost",
)
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOOK_AROUND_SECONDS = 2.0
CANNOT_START = 125


@dataclass(frozen=True)
class Job:
    """A process that was started: its number for the other end, its process (group), and the CPUs it is held to."""

    id: int
    pid: int
    cpus: tuple[int, ...]


class Server:
    """Starts jobs, passes on signals, and reports ends; all in one thread.

    A finished job is reported from the signal handler, for an import may keep the loop away for half a second.
    """

    def __init__(self, connection: socket.socket, tools: Path, *, isolate: bool) -> None:
        self._connection = connection
        self._parent = os.getppid()
        self._jobs: dict[int, Job] = {}
        self._missing = set(PRELOAD)
        self._held: list[Message] = []
        self._received = b""
        self._outbox: deque[bytes] = deque()
        self._sending = self._reaping = False
        self._tools = tools
        self._lock = workplace.make(tools)
        self._isolated = isolate and can_isolate(tools)

    def serve(self) -> None:
        """Work until the other end closes."""
        signal.signal(signal.SIGCHLD, lambda *_: self.reap())
        try:
            for module in PRELOAD:
                while self.poll(0):
                    pass
                self.load(module)
            while True:
                self.poll(LOOK_AROUND_SECONDS)
                self.reap()
        except EOFError:
            pass
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.kill_all()

    def load(self, module: str) -> None:
        """Load one piece, and start the jobs that were held until it is there."""
        preload(module)
        self._missing.discard(module)
        held, self._held = self._held, []
        for message in held:
            self.handle(message)

    def poll(self, seconds: float) -> bool:
        """Handle what arrives within some seconds; tell whether anything did.

        Raises:
            EOFError: the other end is gone.
        """
        if os.getppid() != self._parent:
            raise EOFError
        readable, _, _ = select.select([self._connection], [], [], seconds)
        if not readable:
            return False
        data = self._connection.recv(1 << 16)
        if not data:
            raise EOFError
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self.handle(json.loads(line))
        return True

    def handle(self, message: Message) -> None:
        """Do what one message asks for."""
        if message.get("library") in self._missing:
            self._held.append(message)
        elif "start" in message:
            self.start(message)
        elif job := self._jobs.get(message["signal"]):
            signal_group(job.pid, message["number"])

    def send(self, message: Message) -> None:
        """Send a message whole, even when the signal handler interrupts with another one."""
        self._outbox.append(json.dumps(message).encode() + b"\n")
        if self._sending:
            return
        self._sending = True
        while self._outbox:
            # The other end may be gone; then the next poll says so.
            with contextlib.suppress(OSError):
                self._connection.sendall(self._outbox.popleft())
        self._sending = False

    def start(self, message: Message) -> None:
        """Fork a job."""
        cpus = self.choose_cpus(message["cpus"])
        gc.freeze()
        # Another job may end meanwhile; a process that is no known job yet would be taken for what that one left.
        self._reaping = True
        with warnings.catch_warnings():
            # Python 3.12 warns of threads; those of the libraries loaded here survive a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self.become(message, cpus)
        job = self._jobs[message["start"]] = Job(message["start"], pid, cpus)
        # The end is never reported before the start.
        self.send({"started": job.id, "pid": pid, "isolated": self._isolated})
        self._reaping = False
        self.reap()

    def choose_cpus(self, count: int | None) -> tuple[int, ...]:
        """Return the CPUs to hold a job to, those with the fewest such jobs; none means all."""
        if count is None or not hasattr(os, "sched_getaffinity"):
            return ()
        every = sorted(os.sched_getaffinity(0))
        load = Counter(cpu for job in self._jobs.values() for cpu in job.cpus)
        return tuple(sorted(every, key=lambda cpu: load[cpu])[:count]) if count < len(every) else ()

    def become(self, message: Message, cpus: tuple[int, ...]) -> NoReturn:
        """Be the job, in the forked process."""
        try:
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            self._connection.close()
            os.close(self._lock)
            os.setsid()
            redirect(message["log"])
            if cpus:
                os.sched_setaffinity(0, cpus)
            command, environment = self.enter(message)
            script.run(command, environment, set(message["environment"]))
        except Exception as error:  # the log is where a job's errors are read
            os.write(2, f"The job could not be started: {error}\n".encode())
        finally:
            os._exit(CANNOT_START)

    def enter(self, message: Message) -> tuple[list[str], dict[str, str]]:
        """Enter the job's world, and return its command and variables in that world's terms."""
        tree, scratch = Path(message["tree"]), Path(message["scratch"])
        command, environment, folder = message["command"], message["environment"], message["folder"]
        # A short path: that of a socket may have a hundred characters, and a scratch folder's is as long as its root's.
        temporary = self.temporary(message["start"])
        temporary.symlink_to(scratch)
        environment = self.environment(scratch, temporary) | environment
        if self._isolated:
            (scratch / "opt").mkdir()
            isolation.isolate(tree, scratch / "opt")
            isolation.prctl(isolation.PR_SET_DUMPABLE, 1)
        else:
            mapped = isolation.mapper(tree)
            command, folder = [mapped(argument) for argument in command], mapped(folder or "")
            environment = {name: mapped(value) for name, value in environment.items()}
            isolation.forbid_opt_ml()
        # After the namespaces: entering one clears it.
        isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(folder or scratch)
        return command, environment

    def temporary(self, number: int) -> Path:
        """Return the path to a job's temporary files."""
        return self._tools / str(number)

    def environment(self, scratch: Path, temporary: Path) -> dict[str, str]:
        """Return the variables that every job has."""
        path = f"{self._tools}:{Path(sys.executable).parent}:{SYSTEM_PATH}"
        own = {"PATH": path, "HOME": str(scratch), "TMPDIR": str(temporary), "LANG": "C.UTF-8"}
        # Python processes that a job starts find the stand-in for pip, and this user's packages.
        own |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(self._tools)}
        if site.ENABLE_USER_SITE:
            own["PYTHONUSERBASE"] = site.getuserbase()
        return own

    def reap(self) -> None:
        """Report the jobs that have ended, after killing what they left behind."""
        if self._reaping:
            return
        self._reaping = True
        for job in list(self._jobs.values()):
            status = end_of(job.pid)
            if status is not None:
                del self._jobs[job.id]
                self.temporary(job.id).unlink(missing_ok=True)
                self.kill_strays()
                self.send({"ended": job.id, "status": status})
        self._reaping = False

    def kill_strays(self) -> None:
        """Kill processes that left their job's group and outlived it: those in no running job's namespace."""
        leaders = {job.pid for job in self._jobs.values()}
        if leaders and not self._isolated:
            return  # Whose a stray is cannot be told.
        alive = {namespace_of(pid) for pid in leaders} - {""}
        while doomed := [pid for pid in children() if pid not in leaders and namespace_of(pid) not in alive]:
            for pid in doomed:
                kill_child(pid)

    def kill_all(self) -> None:
        """Kill every job."""
        for job in self._jobs.values():
            signal_group(job.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(job.pid, 0)
        self._jobs.clear()
        self.kill_strays()


def preload(module: str) -> None:
    """Import a module; a job that needs one that cannot be imported gets the error itself."""
    try:
        importlib.import_module(module)
    except Exception as error:  # libraries raise all kinds when a part of theirs is missing
        sys.stderr.write(f"{module} cannot be imported: {error}\n")


def can_isolate(scratch: Path) -> bool:
    """Tell whether this machine gives processes mounts of their own, by trying."""
    if sys.platform != "linux":
        return False
    probe = scratch / "probe"
    (probe / "ml").mkdir(parents=True)
    (probe / "opt").mkdir()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            isolation.isolate(probe / "ml", probe / "opt")
            status = 0
        except OSError as error:
            sys.stderr.write(f"No mount namespaces: {error}\n")
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return status == 0


def redirect(log: str) -> None:
    """Send all output to a log file, and take no input."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    source = os.open(os.devnull, os.O_RDONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(source, 0)
    os.close(output)
    os.close(source)


def end_of(pid: int) -> int | None:
    """Return a child's exit status, or minus its signal, once it has ended; its group is killed then."""
    if hasattr(os, "waitid"):
        # While its status is not taken, no other process can have its number.
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        signal_group(pid, signal.SIGKILL)
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    signal_group(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process group, if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def children() -> list[int]:
    """Return the processes that this one is the parent of, where the system tells (Linux)."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except FileNotFoundError:
        return []


def namespace_of(pid: int) -> str:
    """Return the name of a process's mount namespace; empty when it has ended."""
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return ""


def kill_child(pid: int) -> None:
    """Kill a child and take its status."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def main() -> None:
    """Serve the socket that the command line names, with a folder for tools that is to be made."""
    gc.disable()
    isolation.prctl(isolation.PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    connection, tools = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    status = 1
    try:
        workplace.remove_leftovers(tools.parent)
        Server(connection, tools, isolate=sys.argv[3:] != ["--no-namespaces"]).serve()
        status = 0
    except SystemExit:
        pass
    finally:
        shutil.rmtree(tools, ignore_errors=True)
    # Somebody waits, and unloading the libraries takes a fifth of a second.
    os._exit(status)


if __name__ == "__main__":
    main()
