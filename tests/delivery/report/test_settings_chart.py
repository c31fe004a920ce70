"""The chart of the objective by a hyperparameter."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.report import charts
from pipelines.delivery.report.facts import Trial, Tuning
from tests.delivery.report.examples import TUNING
from tests.delivery.report.test_charts import assert_inside, parsed


@given(st.lists(st.tuples(st.floats(1e-9, 1e9), st.floats(-1e6, 1e6)), min_size=1, max_size=8), st.booleans())
def test_a_setting_of_any_values_is_inside(tried: list[tuple[float, float]], logarithmic: bool) -> None:
    trials = tuple(
        Trial(number, "t", "Completed", value, {"eta": str(setting)}, is_best=number == 1)
        for number, (setting, value) in enumerate(tried, 1)
    )
    drawn = charts.by_setting("s", "S", Tuning("Tune", "loss", False, trials), "eta", logarithmic=logarithmic)
    assert_inside(parsed(drawn))


@pytest.mark.parametrize(
    ("values", "logarithmic", "ticks_"),
    [
        (["0.05", "0.5"], True, ["0.05", "0.1", "0.2", "0.5"]),
        (["0.000001", "1000000"], True, ["1e-06", "0.0001", "0.01", "1", "100", "10000", "1000000"]),
        (["0.21", "0.24"], True, ["0.21", "0.22", "0.23", "0.24"]),
        (["0", "10"], True, ["0", "2.5", "5", "7.5", "10"]),
        (["1", "5"], False, ["1", "2", "3", "4", "5"]),
        (["gbtree", "dart"], False, ["dart", "gbtree"]),
        (["3", "auto"], False, ["3", "auto"]),
        (["inf", "1"], False, ["1", "inf"]),
    ],
)
def test_a_setting_is_read_on_a_scale_that_suits_it(values: list[str], logarithmic: bool, ticks_: list[str]) -> None:
    trials = tuple(Trial(number, "t", "Completed", 0.5, {"eta": value}) for number, value in enumerate(values))
    picture = parsed(charts.by_setting("s", "S", Tuning("Tune", "auc", False, trials), "eta", logarithmic=logarithmic))
    told = [each.text for each in picture.all("text") if each.attributes["class"] == "tick middle"]
    assert told[: len(ticks_)] == ticks_


def test_a_setting_s_picture_shows_the_trials_that_have_it_with_the_best_on_top() -> None:
    trials = (*TUNING.trials, Trial(4, "tune-004", "Completed", 0.8, {"max_depth": "2"}))
    picture = parsed(charts.by_setting("s", "S", replace(TUNING, trials=trials), "eta"))
    words = [each.children[0].text for each in picture.all("g")]
    assert [text.partition(":")[0] for text in words] == ["trial 1", "trial 3", "trial 2"]
