"""Plots of matplotlib as cards like the other pictures, readable on a light page and on a dark one."""

import io
import re

import matplotlib.pyplot as plt
import pictures
from cycler import cycler
from IPython.display import HTML
from matplotlib.figure import Figure

from pipelines.delivery.report.markup import Markup, tag
from pipelines.delivery.report.style import STYLE

# The light page's colours by their names. In a plot that is shown, each is the page's own colour of that name.
COLOURS = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", STYLE.partition("@media")[0]))
MAIN, SECOND, SOFT = COLOURS["main"], COLOURS["second"], COLOURS["soft"]

plt.rc("axes", facecolor="none", edgecolor=COLOURS["line"], labelcolor=SOFT, grid=True, axisbelow=True)
plt.rc("axes", titlelocation="left", titlesize=11, titleweight="bold")
plt.rc("axes", prop_cycle=cycler(color=[MAIN, SECOND, COLOURS["third"]]))
plt.rc("axes.spines", right=False, top=False)
plt.rc("figure", facecolor="none")
plt.rc("figure.constrained_layout", use=True)
plt.rc("font", size=9)
plt.rc("grid", color=COLOURS["grid"])
plt.rc("legend", frameon=False)
plt.rc("svg", fonttype="none")
plt.rc("text", color=COLOURS["ink"])
plt.rc("xtick", color=SOFT)
plt.rc("ytick", color=SOFT)


def show(figure: Figure, says: str) -> HTML:
    """Show a figure, with words for those who cannot see it."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return pictures.show(tag("div", Markup(svg), role="img", aria_label=says))
