"""MLflow's own page in a browser: it shows what was recorded, and loads nothing from elsewhere."""

from pathlib import Path

from playwright.sync_api import Browser

from pipelines.delivery.tracking import local_tracking
from tests.commands.test_experiments import Page, empty_database, page, root
from tests.delivery.tracking.experiments import Experiments

__all__ = ["empty_database", "page", "root"]


def test_the_page_shows_a_run_with_its_children_and_asks_nobody_else(browser: Browser, page: Page, root: Path) -> None:
    address = f"http://127.0.0.1:{page.port}"
    run = Experiments(local_tracking(root)).run("fraud", "abc").info
    window = browser.new_page()
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.goto(f"{address}/#/experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning")
    for name in ("Train", "Tune"):
        window.get_by_role("link", name=name, exact=True).wait_for()
    window.get_by_text("roc_auc", exact=True).wait_for()
    window.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))] == []


def test_the_page_opens_at_model_training_and_asks_the_visitor_nothing(browser: Browser, page: Page) -> None:
    address = f"http://127.0.0.1:{page.port}"
    window = browser.new_page()
    window.goto(address)
    window.get_by_role("link", name="fraud", exact=True).click()
    window.wait_for_url(f"{address}/#/experiments/*/runs?workflowType=machine_learning*")
    window.get_by_role("link", name="abc", exact=True).wait_for()
    window.goto(f"{address}/#/")
    window.get_by_text("Welcome to MLflow", exact=True).wait_for()
    assert window.get_by_text("Welcome to MLflow Assistant").count() == 0
    assert window.get_by_text("usage data").count() == 0
    window.close()


def test_the_page_keeps_what_the_visitor_chose(browser: Browser, page: Page) -> None:
    address = f"http://127.0.0.1:{page.port}"
    window = browser.new_page()
    window.goto(address)
    window.evaluate("localStorage.setItem('mlflow.workflowType_v1', JSON.stringify('genai'))")
    window.goto(f"{address}/?again")
    assert window.evaluate("localStorage.getItem('mlflow.workflowType_v1')") == '"genai"'
    window.close()
