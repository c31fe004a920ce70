"""A browser, and servers of the page: of a SageMaker on which a workshop was done, and of a fresh one."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from docs.pictures.browser import browser_arguments, find_browser
from pipelines.command_line import open_site
from pipelines.delivery.run import Site
from pipelines.ui.server import Server
from tests.end_to_end.conftest import Shell
from tests.local.hosted import end_processes
from tests.ui.left_out import NO_BROWSER
from tests.ui.windows import Windows

# A name that a page elsewhere could give this machine's address.
REBOUND = "rebound.example"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser without a window; its event loop is that of the main thread as long as it is open."""
    program = find_browser()
    if program is None:
        pytest.skip(NO_BROWSER)
    names = [f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=[*browser_arguments(), *names])
        yield opened
        opened.close()


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    """Opens windows, in which nothing may go wrong and from which nothing may leave this machine."""
    made = Windows(browser)
    yield made
    made.close()


@pytest.fixture
def window(windows: Windows) -> Page:
    """A window of a desktop's size."""
    return windows.open()


@contextmanager
def serving(root: Path) -> Iterator[tuple[Site, Server]]:
    """Serve the page of a root folder."""
    with open_site(Namespace(local=True, local_root=root)) as site:
        server = Server(site)
        try:
            yield site, server
        finally:
            server.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Site, Server]]:
    """A SageMaker on which nothing was done yet."""
    with serving(tmp_path / "root") as opened:
        yield opened
    end_processes(tmp_path / "root")


@pytest.fixture(scope="package")
def workshop_root(tmp_path_factory: pytest.TempPathFactory, sample_code: Path) -> Iterator[Path]:
    """A root in which both branches were taken, the first version is approved and serves, and the second one waits."""
    folder = tmp_path_factory.mktemp("workshop 한국어")
    shell = Shell(folder / "local root", folder / "work", sample_code)
    done = [
        shell.run(),
        shell.run("--parameter", "RocAucThreshold=0.75"),
        shell.run("1", "--approve", "--note", "finds what auditors found", module="approve_model"),
        shell.run("--stage", "staging", module="deploy_model"),
    ]
    assert [each.code for each in done] == [0] * len(done), [each.error for each in done]
    yield shell.root
    end_processes(shell.root)


@pytest.fixture(scope="package")
def workshop(workshop_root: Path) -> Iterator[tuple[Site, Server]]:
    """The page of that root; tests leave it as it is."""
    with serving(workshop_root) as opened:
        yield opened


@pytest.fixture(scope="package")
def shown(browser: Browser, workshop: tuple[Site, Server]) -> tuple[Site, Server]:
    """The same page for tests in a browser, without which nothing is made."""
    return workshop
