"""How a step's state and result are said to a person, the same in the table and in plain lines."""

from pipelines.delivery.gate import failure_text, rejection_text, says_rejected
from pipelines.delivery.snapshot import Step

_STATES = {"Starting": "starting", "Executing": "running", "Stopping": "stopping", "Stopped": "stopped"}
_METRICS_SHOWN = 2
ON_OTHER_DATA = "on other data"


def state(step: Step) -> str:
    """Return one word; `cached` is an earlier execution's success, `rejected` a failure by the gate's will."""
    if step.cache_source and step.status == "Succeeded":
        return "cached"
    if says_rejected(step):
        return "rejected"
    return _STATES.get(step.status, step.status.lower())


def result(step: Step) -> str:
    """Return what there is to say of a step's work so far."""
    if step.status == "Failed":
        return rejection_text(step) if says_rejected(step) else failure_text(step)
    if step.outcome is not None:
        return str(step.outcome).lower()
    if step.type == "RegisterModel" and step.arn:
        return step.arn.partition("model-package/")[2]
    parts = [_trials(step), *(f"{name} {value:.4f}" for name, value in _telling_metrics(step))]
    return ", ".join(part for part in parts if part)


def duration(seconds: float | None) -> str:
    """Return a time as people say it: `0.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds is None:
        return ""
    if seconds < 59.95:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def age(seconds: float) -> str:
    """Return how long ago something was, in its greatest unit: `40 s`, `5 min`, `3 h`, `12 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def one_line(text: str) -> str:
    """Text of any layout on one line, without control characters that would act on a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def shortened(text: str, longest: int) -> str:
    """Text of at most so many letters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _trials(step: Step) -> str:
    if step.trials is None:
        return ""
    failed = f", {step.trials.failed} failed" if step.trials.failed else ""
    return f"trials {step.trials.completed}/{step.trials.total}{failed}"


def _telling_metrics(step: Step) -> list[tuple[str, float]]:
    # What was measured on data that the model did not see says more than what it was fitted to.
    metrics = sorted(step.metrics.items(), key=lambda item: not item[0].startswith("validation"))
    return metrics[:_METRICS_SHOWN]
