"""The pictures that GitHub draws from Markdown: the pipeline as a flowchart, curves and trials as charts."""

from collections.abc import Iterator, Sequence

from pipelines.delivery.report.escaping import label
from pipelines.delivery.report.facts import Tuning
from pipelines.delivery.report.graph import Graph, Node
from pipelines.delivery.report.quality import Curve, sample

ICONS = {
    "succeeded": "✓",
    "cached": "↺",
    "rejected": "⊘",
    "failed": "✕",
    "stopped": "■",
    "starting": "○",
    "running": "●",
    "stopping": "◌",
    "waiting": "○",
    "not taken": "–",
    "not run": "·",
}
_STYLES = {
    "succeeded": "fill:#dff3e4,stroke:#1a7f37,color:#0b3d1a",
    "cached": "fill:#e3eefc,stroke:#2a5db0,color:#10305f",
    "rejected": "fill:#fdf0d3,stroke:#9a6700,color:#4d3300",
    "failed": "fill:#fde2e0,stroke:#c02b22,color:#5f120d,stroke-width:3px",
    "stopped": "fill:#eceef1,stroke:#59606b,color:#24292f",
    "not taken": "fill:#f6f7f8,stroke:#8a919b,color:#59606b,stroke-dasharray:4 4",
    "not run": "fill:#f6f7f8,stroke:#8a919b,color:#59606b,stroke-dasharray:2 3",
}
# Mermaid's own first colour can hardly be seen on white.
_PALETTE = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#3b76d6, #8a919b"}}}}%%'
_STEPS = 20
_MOST_TRIALS = 60


def flowchart(graph: Graph) -> str:
    """Return the pipeline with the state of every step."""
    ids = {node.name: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD", *(f"    {ids[node.name]}{_shape(node)}" for node in graph.nodes)]
    states = {node.name: node.state for node in graph.nodes}
    for edge in graph.edges:
        arrow = "-.->" if states[edge.target] in {"not taken", "not run"} else "-->"
        text = f"|{label(edge.label)}|" if edge.label else ""
        lines.append(f"    {ids[edge.source]} {arrow}{text} {ids[edge.target]}")
    return _fenced("\n".join([*lines, *_classes(graph, ids)]))


def curve_chart(title: str, axes: tuple[str, str], curve: Curve, other: Sequence[float]) -> str:
    """Return a curve beside a second line of two or more heights, from the left to the right."""
    base = [other[0] + (other[-1] - other[0]) * number / _STEPS for number in range(_STEPS + 1)]
    return _chart(
        title, f'x-axis "{label(axes[0])}" 0 --> 1', f'y-axis "{label(axes[1])}" 0 --> 1', (sample(curve, _STEPS), base)
    )


def trials_chart(tuning: Tuning) -> str | None:
    """Return the objective of every measured trial; none where there are too many for a chart."""
    trials = tuning.measured
    if not 2 <= len(trials) <= _MOST_TRIALS:
        return None
    values = [trial.value for trial in trials if trial.value is not None]
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or 0.05
    numbers = ", ".join(str(trial.number) for trial in trials)
    return _chart(
        "Trials",
        f'x-axis "trial" [{numbers}]',
        f'y-axis "{label(tuning.objective)}" {low - room:.4f} --> {high + room:.4f}',
        (values,),
    )


def _shape(node: Node) -> str:
    words = [label(node.name), f"{ICONS.get(node.state, '·')} {label(node.state)}"]
    text = "<br/>".join([*words, label(node.note)] if node.note else words)
    return f'{{{{"{text}"}}}}' if node.type == "Condition" else f'["{text}"]'


def _classes(graph: Graph, ids: dict[str, str]) -> Iterator[str]:
    for state, style in _STYLES.items():
        if members := [ids[node.name] for node in graph.nodes if node.state == state]:
            name = state.replace(" ", "")
            yield f"    classDef {name} {style}"
            yield f"    class {','.join(members)} {name}"


def _chart(title: str, across: str, up: str, lines: Sequence[Sequence[float]]) -> str:
    drawn = [f"    line [{', '.join(f'{value:.4f}' for value in line)}]" for line in lines]
    return _fenced(
        "\n".join([_PALETTE, "xychart-beta", f'    title "{label(title)}"', f"    {across}", f"    {up}", *drawn])
    )


def _fenced(text: str) -> str:
    return f"```mermaid\n{text}\n```"
