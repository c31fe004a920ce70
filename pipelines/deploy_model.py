"""deploy-model: an approved model package behind a stage's endpoint, tested there, taken back where it fails."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import command_line
from pipelines.command_line import DEFAULT_MODULE
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.deploy_flags import (
    BAKE_SECONDS,
    CANARY_PERCENT,
    CAPTURE_PERCENT,
    INSTANCES,
    LOCAL_BAKE_SECONDS,
    TERMINATION_SECONDS,
    check_flags,
    make_parser,
)
from pipelines.pipeline_module import group_of, region_of, role_of, vpc_of

if TYPE_CHECKING:
    from pipelines.delivery.deployment.order import Canary, Capture, Order
    from pipelines.delivery.deployment.result import Result
    from pipelines.delivery.deployment.tools import Tools
    from pipelines.delivery.run import Site

# Between two rows that are sent while an endpoint is updated, in seconds; on this machine that takes a second or two.
PACE, LOCAL_PACE = 1.0, 0.02
_SUMMARY = "GITHUB_STEP_SUMMARY"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def _run(options: argparse.Namespace) -> int:
    check_flags(options)
    order = _order(options)
    # This brings botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.delivery.attention import Attention  # noqa: PLC0415
    from pipelines.delivery.deployment.journal import Journal  # noqa: PLC0415
    from pipelines.delivery.deployment.tools import Tools  # noqa: PLC0415
    from pipelines.delivery.interrupt import interrupts  # noqa: PLC0415

    with command_line.open_site(options, find_region=lambda: region_of(options)) as site, interrupts() as interrupt:
        if options.json:
            # Else a reader could take an earlier outcome for that of a command that was killed.
            options.json.unlink(missing_ok=True)
        attention = Attention(interrupt, minutes=options.timeout, advise=_advice)
        journal = Journal(sys.stdout)
        try:
            result = _work(options, Tools(site, attention, journal, _pace(site)), order)
        except DeliveryError as error:
            _append_failure(order, str(error))
            raise
        finally:
            journal.close()
    _report(options, result)
    return result.exit_code


def _work(options: argparse.Namespace, tools: Tools, order: Order) -> Result:
    from pipelines.delivery.deployment.deploy import deploy  # noqa: PLC0415 - as in _run
    from pipelines.delivery.deployment.rollback import roll_back  # noqa: PLC0415
    from pipelines.delivery.deployment.teardown import tear_down  # noqa: PLC0415

    if options.teardown:
        return tear_down(tools, order)
    if options.rollback:
        return roll_back(tools, order)
    return deploy(tools, order, options.model_package)


def _order(options: argparse.Namespace) -> Order:
    from pipelines.delivery.deployment.names import endpoint_name  # noqa: PLC0415 - as in _run
    from pipelines.delivery.deployment.order import AUC_TOLERANCE, MAX_LATENCY, Limits, Order  # noqa: PLC0415

    module = options.module_name or DEFAULT_MODULE
    group = options.group or group_of(module)
    role = role_of(options)
    if role is None and not (options.teardown or options.rollback):
        raise UsageError(
            "--role-arn is needed in AWS: the ARN of the role that the endpoint runs with; "
            "to deploy on this machine, give --local"
        )
    tolerance = AUC_TOLERANCE if options.auc_tolerance is None else options.auc_tolerance
    return Order(
        stage=options.stage,
        group=group,
        endpoint=endpoint_name(group, options.stage, options.endpoint_name),
        role_arn=role,
        # Of whichever group: what leaves the VPC by a flag would do so unnoticed.
        vpc=vpc_of(module),
        instance_type=options.instance_type,
        instance_count=options.instance_count or INSTANCES[options.stage],
        canary=_canary(options),
        capture=_capture(options),
        kms_key=options.kms_key,
        limits=Limits(options.max_latency or MAX_LATENCY, tolerance),
        test_data=options.test_data,
        tags=options.tags,
        needs_stage_approval=options.require_stage_approval,
    )


def _canary(options: argparse.Namespace) -> Canary | None:
    from pipelines.delivery.deployment.order import Canary  # noqa: PLC0415 - as in _run

    if options.stage != "production":
        return None
    default = LOCAL_BAKE_SECONDS if options.local else BAKE_SECONDS
    bake = default if options.bake is None else options.bake
    wait = 0 if options.local else min(bake, TERMINATION_SECONDS)
    return Canary(options.canary_percent or CANARY_PERCENT, bake, wait)


def _capture(options: argparse.Namespace) -> Capture | None:
    from pipelines.delivery.deployment.order import Capture  # noqa: PLC0415 - as in _run

    if options.stage != "production" or options.local or options.capture_percent == 0:
        return None
    return Capture(options.capture_percent or CAPTURE_PERCENT, options.capture_uri)


def _pace(site: Site) -> float:
    return LOCAL_PACE if site.endpoint_url else PACE


def _advice(_: str) -> str:
    command = f"{command_line.typed_name('deploy-model')} {shlex.join(sys.argv[1:])}"
    return f"the same command takes it up again: {command}"


def _report(options: argparse.Namespace, result: Result) -> None:
    from pipelines.delivery.deployment.outcome import write_outcome  # noqa: PLC0415 - as in _run
    from pipelines.delivery.deployment.summary import append_markdown, markdown, summarize  # noqa: PLC0415

    if options.json:
        write_outcome(result, options.json)
    sys.stdout.writelines(f"{line}\n" for line in summarize(result))
    if place := os.environ.get(_SUMMARY):
        append_markdown(markdown(result), Path(place))


def _append_failure(order: Order, error: str) -> None:
    """Show in CI why there is no outcome."""
    from pipelines.delivery.deployment.summary import append_markdown, markdown_of_error  # noqa: PLC0415 - as in _run

    if place := os.environ.get(_SUMMARY):
        append_markdown(markdown_of_error(order, error), Path(place))


if __name__ == "__main__":
    sys.exit(main())
