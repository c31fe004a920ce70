"""The flags of deploy-model, and what they say together: mistakes are found before anything is opened or sent."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

from pipelines import command_line
from pipelines.command_line import (
    DEFAULT_ROOT,
    Parser,
    parse_difference,
    parse_minutes,
    parse_number,
    parse_path,
    parse_tags,
    parse_text,
)
from pipelines.delivery.deployment.names import S3_OBJECT
from pipelines.delivery.errors import UsageError
from pipelines.delivery.files import check_target
from pipelines.delivery.lifecycle import STAGES

INSTANCES = {"staging": 1, "production": 2}
CANARY_PERCENT, LARGEST_CANARY = 50, 50
CAPTURE_PERCENT = 20
BAKE_SECONDS, LOCAL_BAKE_SECONDS, LONGEST_BAKE = 300, 1, 3600
TERMINATION_SECONDS = 120
_KEY = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}", re.ASCII)
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)
# What deploy-model knows its own by, and what AWS keeps to itself.
_RESERVED_TAGS = ("deploy-model:", "aws:")
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{2,62}(/\S*)?", re.ASCII)
# What a deployment is made of, and a teardown has no use for.
_OF_A_DEPLOYMENT = (
    "role_arn",
    "instance_type",
    "instance_count",
    "canary_percent",
    "bake",
    "max_latency",
    "auc_tolerance",
    "test_data",
    "capture_percent",
    "capture_uri",
    "kms_key",
    "tags",
)
_OF_PRODUCTION = ("canary_percent", "bake", "capture_percent", "capture_uri", "require_stage_approval")
_OF_AWS = ("capture_percent", "capture_uri", "kms_key")


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "deploy-model",
        "Deploy an approved model package to a stage's endpoint and test it there. Exit code: 0 it serves and passed "
        "its test, 1 it was taken back or anything failed, 2 wrong usage.",
    )
    parser.add_argument("--stage", choices=STAGES, required=True, help="where to")
    parser.add_argument(
        "--model-package",
        metavar="ARN|VERSION",
        type=parse_text,
        help="what to deploy (default: the newest Approved version)",
    )
    _add_flags_of_place(parser)
    _add_flags_of_endpoint(parser)
    _add_flags_of_production(parser)
    _add_flags_of_test(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--rollback", action="store_true", help="return to the version that served before")
    instead.add_argument("--teardown", action="store_true", help="remove the endpoint and all that was made for it")
    parser.add_argument("--timeout", metavar="MINUTES", type=parse_minutes, help="wait for so long, then exit code 1")
    parser.add_argument("--json", metavar="FILE", type=parse_path, help="write the outcome here, for machines")
    command_line.add_local_flags(parser)
    parser.set_defaults(kwargs=None)
    return parser


def _add_flags_of_place(parser: Parser) -> None:
    command_line.add_group_flags(parser)
    parser.add_argument(
        "--endpoint-name", metavar="NAME", type=parse_text, help="the endpoint (default <group>-<stage>)"
    )


def _add_flags_of_endpoint(parser: Parser) -> None:
    parser.add_argument("--role-arn", metavar="ARN", type=parse_text, help="the role that the endpoint runs with")
    parser.add_argument(
        "--instance-type", metavar="TYPE", type=_parse_instance, help="the instances (default: the package's first)"
    )
    parser.add_argument(
        "--instance-count",
        metavar="N",
        type=_whole(1, 1000),
        help=f"how many (default {INSTANCES['staging']}; in production {INSTANCES['production']})",
    )
    parser.add_argument(
        "--kms-key", metavar="ARN", type=_parse_key, help="encrypts the instances' storage and what is captured"
    )
    parser.add_argument("--tags", metavar="JSON", type=_parse_tags, default=(), help="tags of all that is made")


def _add_flags_of_production(parser: Parser) -> None:
    parser.add_argument(
        "--canary-percent",
        metavar="N",
        type=_whole(1, LARGEST_CANARY),
        help=f"the capacity that a new version gets first in production (default {CANARY_PERCENT})",
    )
    parser.add_argument(
        "--bake",
        metavar="SECONDS",
        type=_whole(0, LONGEST_BAKE),
        help=f"how long each part is watched (default {BAKE_SECONDS}, on this machine {LOCAL_BAKE_SECONDS})",
    )
    parser.add_argument(
        "--capture-percent",
        metavar="N",
        type=_whole(0, 100),
        help=f"requests to keep in production in AWS (default {CAPTURE_PERCENT}, 0 keeps none)",
    )
    parser.add_argument(
        "--capture-uri", metavar="S3-URI", type=_parse_uri, help="where to (default: in the model's bucket)"
    )
    parser.add_argument(
        "--require-stage-approval",
        action="store_true",
        help="refuse a version that was not approved for production (approve-model --stage production)",
    )


def _add_flags_of_test(parser: Parser) -> None:
    parser.add_argument(
        "--test-data", metavar="FILE|S3-URI", type=_parse_rows, help="labelled rows (default: those of the package)"
    )
    parser.add_argument(
        "--max-latency",
        metavar="MS",
        type=_positive,
        help="what 95%% of requests may take at most, in the test and by the alarm (default 1000)",
    )
    parser.add_argument(
        "--auc-tolerance",
        metavar="D",
        type=parse_difference,
        help="how far the ROC AUC may be from the registered one (default 0.02)",
    )


def check_flags(options: argparse.Namespace) -> None:
    """Refuse flags that make no sense together, and places that cannot be written to."""
    if mistake := next((text for text, is_made in _mistakes(options).items() if is_made), None):
        raise UsageError(mistake)
    if options.json:
        check_target(options.json, "--json")
    root = options.local_root or Path(DEFAULT_ROOT)
    if options.local and not root.exists():
        raise UsageError(f"{root} does not exist: run run-pipeline --local here first, or give another --local-root")
    if options.test_data and not options.test_data.startswith("s3://") and not Path(options.test_data).is_file():
        raise UsageError(f"--test-data {options.test_data} is no file: give a CSV whose first column is the label")


def _mistakes(options: argparse.Namespace) -> dict[str, object]:
    count = options.instance_count or INSTANCES[options.stage]
    percent = options.canary_percent or CANARY_PERCENT
    in_production = options.stage == "production"
    whole = count * percent >= 100
    least = -(-100 // count)
    return {
        command_line.ROOT_WITHOUT_LOCAL: options.local_root and not options.local,
        "--rollback finds its version itself: leave out --model-package": options.rollback and options.model_package,
        "--teardown needs no version: leave out --model-package": options.teardown and options.model_package,
        f"--teardown deploys nothing: leave out {_first(options, _OF_A_DEPLOYMENT)}": options.teardown
        and _first(options, _OF_A_DEPLOYMENT),
        f"{_first(options, _OF_PRODUCTION)} is for --stage production": not in_production
        and _first(options, _OF_PRODUCTION),
        f"{_first(options, _OF_AWS)} is for AWS: leave it out with --local": options.local and _first(options, _OF_AWS),
        "--instance-count 1 leaves no room for a canary, which is at most half of the instances: give 2 or more": (
            in_production and count == 1
        ),
        f"--canary-percent {percent} of {count} instances is less than one: give {least} or more, or more instances": (
            in_production and not options.local and not whole
        ),
        "--capture-percent 0 keeps nothing: leave out --capture-uri": options.capture_percent == 0
        and options.capture_uri,
        "--group names the group itself: leave out --module-name": options.group and options.module_name,
    }


def _first(options: argparse.Namespace, names: tuple[str, ...]) -> str | None:
    """Return the first of the flags that was given, of which 0 is a value."""
    given = (name for name in names if not any(getattr(options, name) is each for each in (None, False, ())))
    return next((f"--{name.replace('_', '-')}" for name in given), None)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, not '{text}'")
        return int(text)

    return parse


def _positive(text: str) -> float:
    value = parse_number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of milliseconds above 0, not '{text}'")
    return value


def _parse_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no KMS key: expected its ARN, id or alias")
    return text


def _parse_instance(text: str) -> str:
    if not _INSTANCE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no instance type: expected one such as ml.m5.large")
    return text


def _parse_tags(text: str) -> tuple[dict[str, str], ...]:
    tags = parse_tags(text)
    if taken := next((tag["Key"] for tag in tags if tag["Key"].lower().startswith(_RESERVED_TAGS)), None):
        raise argparse.ArgumentTypeError(
            f"the key '{taken}' is reserved: leave out keys that begin with {' or '.join(_RESERVED_TAGS)}"
        )
    return tags


def _parse_rows(text: str) -> str:
    if text.startswith("s3:") and not S3_OBJECT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no object in S3: expected s3://bucket/key, or a file")
    return parse_text(text)


def _parse_uri(text: str) -> str:
    if not _S3.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no S3 URI: expected s3://bucket/prefix")
    return text
