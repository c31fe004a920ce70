"""What a person sees while a deployment goes on."""

import io

import pytest

from pipelines.delivery.deployment.journal import Journal


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_every_event_has_a_line_with_the_time_since_the_start(clock: Clock) -> None:
    out = io.StringIO()
    journal = Journal(out, clock=clock, environment={})
    clock.now += 65
    journal.say("two\nlines")
    journal.change("made a model")
    assert out.getvalue() == "1 min 05 s  two lines\n1 min 05 s  made a model\n"
    assert journal.changes == ["made a model"]
    assert journal.seconds == 65


def test_what_is_waited_for_is_told_when_it_is_news(clock: Clock) -> None:
    out = io.StringIO()
    journal = Journal(out, clock=clock, environment={})
    for status in ("Creating", "Creating", "Updating", "Creating"):
        journal.status(status)
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["Creating", "Updating", "Creating"]


def test_on_a_terminal_it_is_drawn_again_and_leaves_no_trace(clock: Clock) -> None:
    out = Terminal()
    journal = Journal(out, clock=clock, environment={"TERM": "xterm"})
    journal.status("Creating")
    clock.now += 1
    journal.status("Creating")
    journal.say("done")
    journal.close()
    assert out.getvalue() == "\r\x1b[K    0.0 s  Creating\r\x1b[K    1.0 s  Creating\r\x1b[K    1.0 s  done\n"


def test_on_a_terminal_a_long_line_does_not_wrap(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    out = Terminal()
    Journal(out, clock=clock, environment={"TERM": "xterm"}).status("a" * 50)
    assert out.getvalue() == "\r\x1b[K    0.0 s  aaaaaaa…"
