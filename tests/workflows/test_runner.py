"""The runner ends a workflow as GitHub would, so that a green run of it means something."""

import textwrap
from pathlib import Path

import pytest

from tests.workflows.github import Event, GitHub
from tests.workflows.github_api import GitHubApi
from tests.workflows.runner import Run, run_workflow

HEAD = "on: push\npermissions: {}\njobs:\n"


def run(github: GitHub, jobs: str) -> Run:
    """Run a workflow that has these jobs."""
    github.source = github.work / "source"
    folder = github.source / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "one.yml").write_text(HEAD + textwrap.indent(textwrap.dedent(jobs), "  "))
    return run_workflow("one.yml", github, Event("push"))


def test_a_failed_command_ends_its_step_and_the_steps_behind_it_are_skipped(github: GitHub) -> None:
    done = run(
        github,
        """
        one:
          steps:
            - {name: pipe, run: "false | cat\\necho not reached"}
            - {name: next, run: echo not reached}
            - {name: anyway, if: "${{ !cancelled() }}", run: echo reached}
        two:
          needs: one
          steps: [{name: two, run: echo not reached}]
        """,
    )
    assert done.result == "failure"
    assert [step.result for step in done["one"].steps] == ["failure", "skipped", "success"]
    assert done["one"].step("pipe").code == 1
    assert "not reached" not in done["one"].log
    assert done["two"].result == "skipped"


def test_what_a_step_writes_reaches_later_steps_and_jobs(github: GitHub) -> None:
    done = run(
        github,
        """
        one:
          outputs: {color: "${{ steps.paint.outputs.color }}"}
          env: {ROOM: kitchen}
          steps:
            - name: paint
              id: paint
              run: |
                echo color=red >> "$GITHUB_OUTPUT"
                echo SHADE=dark >> "$GITHUB_ENV"
                echo "$PWD" >> "$GITHUB_PATH"
                printf '#!/bin/sh\\necho tool in the %s' "$ROOM" > tool && chmod +x tool
            - {name: look, run: 'echo "$SHADE" && tool && echo "# Seen" >> "$GITHUB_STEP_SUMMARY"'}
        two:
          needs: one
          steps:
            - {name: see, env: {COLOR: "${{ needs.one.outputs.color }}"}, run: 'echo "it is $COLOR"'}
        """,
    )
    assert done.result == "success"
    assert done["one"].step("look").log == "dark\ntool in the kitchen\n"
    assert done["one"].summary == "# Seen\n"
    assert done["two"].step("see").log == "it is red\n"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("uses: actions/checkout@v7", "not pinned"),
        (f"uses: evil/action@{'0' * 40}", "is not one of"),
        (f"uses: actions/checkout@{'0' * 40}", "no permission contents"),
        (f"{{uses: actions/checkout@{'0' * 40}, with: {{tokn: x}}}}", "no input tokn"),
    ],
)
def test_an_action_that_github_would_refuse_fails_its_step(github: GitHub, step: str, message: str) -> None:
    body = step.strip("{}") if not step.startswith("{") else step[1:-1]
    done = run(github, f"one:\n  steps:\n    - {{name: it, {body}}}\n")
    assert done.result == "failure"
    assert message in done["one"].log


def test_a_step_has_no_credentials_of_the_machine_and_no_network(
    github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the developer's")
    monkeypatch.setenv("GITHUB_TOKEN", "the developer's")
    done = run(github, "one:\n  steps: [{name: look, run: env}]\n")
    assert "the developer's" not in done["one"].log
    assert "https_proxy=http://127.0.0.1:9" in done["one"].log


@pytest.mark.parametrize(("level", "result"), [("read", "failure"), ("write", "success")])
def test_only_a_token_that_may_write_comments_does(github: GitHub, api: GitHubApi, level: str, result: str) -> None:
    done = run(
        github,
        f"""
        one:
          permissions: {{pull-requests: {level}}}
          env: {{GH_TOKEN: "${{{{ github.token }}}}"}}
          steps: [{{name: write, run: gh api repos/acme/fraud/issues/7/comments --method POST --field body=hello}}]
        """,
    )
    assert done.result == result
    assert len(api.comments.get(7, [])) == (result == "success")
    assert ("Resource not accessible by integration" in done["one"].log) == (result == "failure")


def test_a_workflow_is_not_run_for_an_event_that_it_does_not_listen_to(github: GitHub, tree: Path) -> None:
    github.source = tree
    with pytest.raises(ValueError, match="not about pull_request"):
        run_workflow("main.yml", github, Event("pull_request"))
