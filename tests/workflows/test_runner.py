"""The runner ends a workflow as GitHub would, so that a green run of it means something."""

import textwrap
from pathlib import Path

import pytest

from tests.workflows.github import Environment, Event, GitHub
from tests.workflows.github_api import GitHubApi
from tests.workflows.policies import STAGING, trust
from tests.workflows.runner import Run, run_workflow

HEAD = "on: push\npermissions: {}\njobs:\n"


def run(github: GitHub, jobs: str, *, ref: str = "refs/heads/main") -> Run:
    """Run a workflow that has these jobs."""
    github.source = github.work / "source"
    folder = github.source / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "one.yml").write_text(HEAD + textwrap.indent(textwrap.dedent(jobs), "  "))
    return run_workflow("one.yml", github, Event("push", ref=ref))


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


def test_a_job_below_a_skipped_one_is_skipped_unless_it_asks_for_the_status(github: GitHub) -> None:
    done = run(
        github,
        """
        one: {if: "${{ false }}", steps: []}
        two: {needs: one, if: "${{ !cancelled() }}", steps: []}
        three: {needs: two, steps: []}
        four: {needs: two, if: "${{ always() && needs.two.result == 'success' }}", steps: []}
        """,
    )
    assert {name: job.result for name, job in done.items()} == {
        "one": "skipped",
        "two": "success",
        "three": "skipped",
        "four": "success",
    }


def test_an_environment_has_its_own_variables_and_its_reviewers_decide(github: GitHub) -> None:
    github.variables = {"PLACE": "anywhere", "COLOR": "red"}
    github.environments = {
        "here": Environment(variables={"PLACE": "here"}),
        "there": Environment(reviewers=("owner",), is_approved=False),
    }
    look = '{env: {PLACE: "${{ vars.PLACE }} ${{ vars.COLOR }}"}, name: look, run: \'echo "$PLACE"\'}'
    done = run(
        github,
        f"""
        one: {{environment: here, steps: [{look}]}}
        two: {{environment: there, steps: [{look}]}}
        three: {{environment: nowhere, steps: [{look}]}}
        """,
    )
    assert done["one"].log == "here red\n"
    assert (done["two"].result, done["two"].steps) == ("failure", [])
    assert done["three"].log == "anywhere red\n"
    # As GitHub does: a name that nobody set up is an environment without rules from then on.
    assert github.environments["nowhere"] == Environment()


@pytest.mark.parametrize(
    ("environment", "ref", "result"),
    [
        ("staging", "refs/heads/main", "success"),
        ("production", "refs/heads/main", "failure"),
        ("staging", "refs/heads/other", "failure"),
    ],
)
def test_a_role_is_only_taken_on_from_the_environment_and_the_branch_that_it_trusts(
    github: GitHub, environment: str, ref: str, result: str
) -> None:
    github.trust = trust()
    inputs = f"role-to-assume: '{STAGING}', aws-region: us-east-1, role-duration-seconds: 900"
    step = f"{{name: it, uses: aws-actions/configure-aws-credentials@{'0' * 40}, with: {{{inputs}}}}}"
    jobs = f"one: {{environment: {environment}, permissions: {{id-token: write}}, steps: [{step}]}}"
    done = run(github, jobs, ref=ref)
    assert done.result == result
    assert ("sts:AssumeRoleWithWebIdentity" in done["one"].log) == (result == "failure")


def test_the_form_of_a_workflow_is_checked_and_filled_in(github: GitHub, tree: Path) -> None:
    github.source, github.variables = tree, {}
    for inputs, message in (
        ({}, "Required input 'version'"),
        ({"version": "1", "decision": "approve", "color": "red"}, "Unexpected inputs"),
        ({"version": "1", "decision": "perhaps"}, "allowed values"),
    ):
        with pytest.raises(ValueError, match=message):
            run_workflow("approve.yml", github, Event("workflow_dispatch", inputs=inputs))


def test_a_workflow_is_not_run_for_an_event_that_it_does_not_listen_to(github: GitHub, tree: Path) -> None:
    github.source = tree
    with pytest.raises(ValueError, match="not about pull_request"):
        run_workflow("main.yml", github, Event("pull_request"))
