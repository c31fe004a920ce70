"""What is typed wrong is answered with one line and exit code 2 or 1, and nothing is written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RUN, PRINT = "pipelines.run_pipeline", "pipelines.get_pipeline_definition"
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "RocAucThreshold", "Type": "Float", "DefaultValue": 0.85}],
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)
MODULES = {
    "no_function": "x = 1",
    "broken": "import not_installed_anywhere",
    "raising": "raise RuntimeError('two\\nlines')",
    "picky": "def get_pipeline(region, *, bucket=None): raise ValueError('bucket is wrong')",
    "demanding": "def get_pipeline(bucket): ...",
    "wrong_kind": "def get_pipeline(): return 42",
    "noisy": """
class Pipeline:
    name = 'noisy'
    def definition(self):
        print('noise')
        return '{"Steps": [], "Parameters": []}'
def get_pipeline(**kwargs): return Pipeline()
""",
    "plain": """
class Pipeline:
    name = 'plain'
    def definition(self): return '{"Steps": []}'
def get_pipeline(): return Pipeline()
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a definition and with modules, to run in."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
    (tmp_path / "pipeline.json").write_text(DEFINITION)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "latin1.json").write_bytes(b'"\xe9"')
    (tmp_path / "___.json").write_text(DEFINITION)
    return tmp_path


def call(folder: Path, module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does, without an AWS account."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COVERAGE_"))}
    nowhere = {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**plain, **nowhere, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def files(folder: Path) -> set[str]:
    """All there is below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def refuse(folder: Path, module: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command that must fail with one line and leave no trace; returns its exit code and the message."""
    before = files(folder)
    answer = call(folder, module, *arguments, **environment)
    assert answer.stdout == ""
    assert files(folder) == before
    (line,) = answer.stderr.splitlines()
    return answer.returncode, line.partition(": error: ")[2]


ROLE = "arn:aws:iam::111122223333:role/pipeline"
FILE = ("--definition", "pipeline.json", "--local")
USAGE = [
    (("--bogus",), "unrecognized arguments: --bogus (see run-pipeline --help)"),
    (("--kwargs", "{'a': 1}"), "argument --kwargs: not JSON: Expecting property name"),
    (("--kwargs", "[" * 100_000), "argument --kwargs: not JSON: maximum recursion depth exceeded"),
    (("--kwargs", "[1]"), 'argument --kwargs: expected a JSON object such as {"region": "us-east-1"}, not [1]'),
    (("--tags", "{}"), 'argument --tags: expected a JSON list such as [{"Key": "team", "Value": "fraud"}], not {}'),
    (("--tags", '[{"Key": "a", "Value": 1}]'), "argument --tags: expected a JSON list"),
    (("--tags", ""), "argument --tags: not JSON"),
    (("--parameter", "RocAucThreshold"), "argument --parameter: expected NAME=VALUE, not 'RocAucThreshold'"),
    (("--parameter", "=1"), "argument --parameter: expected NAME=VALUE, not '=1'"),
    ((*FILE, "--parameter", "A=1", "--parameter", "A=2"), "--parameter A is given twice: give it once"),
    ((*FILE, "--kwargs", "{}"), "--definition runs without a module: leave out --module-name and --kwargs"),
    ((*FILE, "--module-name", "x"), "--definition runs without a module: leave out --module-name and --kwargs"),
    (("--pipeline-name", "x", "--local"), "--pipeline-name is for --definition"),
    ((*FILE, "--no-wait"), "--no-wait: a local run ends with this command; leave out --no-wait or --local"),
    (("--role-arn", ROLE, "--no-wait", "--json", "x"), "--no-wait knows no outcome: leave out --no-wait or --json"),
    ((*FILE, "--json", "missing/outcome.json"), "--json missing/outcome.json: name a file in a folder that exists"),
    ((*FILE, "--json", "."), "--json .: name a file in a folder that exists"),
    ((*FILE, "--input-data", "missing"), "--input-data missing is not a folder: give a folder with the input files"),
    ((*FILE, "--input-data", "s3://"), "--input-data s3:// is no S3 URI: expected s3://bucket/prefix"),
    ((*FILE, "--input-data", "."), "unknown parameter 'InputData': the pipeline's parameters are RocAucThreshold"),
    (
        (*FILE, "--input-data", ".", "--parameter", "InputData=s3://b/x"),
        "--input-data sets the parameter InputData: give one of the two",
    ),
    (("--definition", "pipeline.json"), "pipeline and its jobs run with; to run on this machine, give --local"),
    (("--definition", "pipeline.json", "--role-arn", "myrole"), "--role-arn myrole is no role's ARN: expected arn:aws"),
    (("--definition", "pipeline.json", "--local-root", "x"), "--local-root is for --local: give both or none"),
    (("--definition", "no_function.py", "--local"), "--definition no_function.py is not JSON: Expecting value"),
    (("--definition", "missing.json", "--local"), "--definition missing.json: No such file or directory"),
    (("--definition", ".", "--local"), "--definition .: Is a directory"),
    (("--definition", "latin1.json", "--local"), "--definition latin1.json is not UTF-8 text"),
    (("--definition", "___.json", "--local"), "no pipeline name can be made from the file's; give --pipeline-name"),
    (
        (*FILE, "--parameter", "Threshold=1"),
        "unknown parameter 'Threshold': the pipeline's parameters are RocAucThresh",
    ),
    ((*FILE, "--parameter", "RocAucThreshold="), "parameter 'RocAucThreshold' is empty: expected a finite number"),
    ((*FILE, "--parameter", "RocAucThreshold=x"), "parameter 'RocAucThreshold' is 'x': expected a finite number"),
    ((*FILE, "--parameter", "RocAucThreshold=nan"), "parameter 'RocAucThreshold' is 'nan': expected a finite number"),
    (
        ("--definition", "pipeline.json", "--role-arn", ROLE, "--local-root", "x"),
        "--local-root is for --local: give both or none",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=lambda value: str(value)[:60])
def test_wrong_usage_is_told_in_one_line(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    code, line = refuse(folder, RUN, *arguments)
    assert code == 2
    assert message in line


EMPTY = ["--input-data", "--local-root", "--pipeline-name", "--definition", "--json", "--report", "--module-name"]
EMPTY += ["--role-arn", "--description", "--follow", "--commit", "--run-key"]


@pytest.mark.parametrize("option", EMPTY)
def test_an_empty_value_is_no_default(folder: Path, option: str) -> None:
    code, line = refuse(folder, RUN, *FILE, option, "")
    assert code == 2
    assert f"{option}: the value is empty: give one, or leave the option out (see run-pipeline --help)" in line


@pytest.mark.parametrize("option", ["--input-data", "--file-name", "--local-root", "--module-name", "--role-arn"])
def test_an_empty_value_of_the_other_command_is_no_default_either(folder: Path, option: str) -> None:
    code, line = refuse(folder, PRINT, "--local", option, "")
    assert code == 2
    assert option in line
    assert "the value is empty" in line


def test_bytes_that_are_no_text_are_refused_as_a_parameter(folder: Path) -> None:
    code, line = refuse(folder, RUN, *FILE, "--parameter", os.fsdecode(b"RocAucThreshold=\xff"))
    assert (code, line) == (2, r"parameter 'RocAucThreshold' is '\udcff': expected UTF-8 text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Parameters": [{}], "Steps": []}', "Missing member 'Name' (at Parameters[0])"),
        ('{"Parameters": [{"Name": "a", "Type": "Foo"}], "Steps": []}', "Unknown Type 'Foo' (at Parameters[0].Type"),
        (
            '{"Parameters": [{"Name": "a"}, {"Name": "a"}], "Steps": []}',
            "Duplicate parameter name 'a' (at Parameters[1])",
        ),
        ('{"Steps": [1]}', "Expecting start of Json Object (at Steps[0]; found an integer)"),
    ],
)
def test_a_malformed_definition_is_told_in_the_services_words(folder: Path, text: str, message: str) -> None:
    (folder / "malformed.json").write_text(text)
    answer = call(folder, RUN, "--local", "--definition", "malformed.json")
    (line,) = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (1, "")
    assert message in line
    assert ".. " not in line


def test_a_definition_that_is_not_json_says_where(folder: Path) -> None:
    code, line = refuse(folder, RUN, "--definition", "broken.json", "--local")
    assert code == 2
    assert line.startswith(
        "--definition broken.json is not JSON: Expecting property name enclosed in double quotes: line 1 column 2"
    )


# Modules are looked for with the AWS session, which makes no call; a region is all that it needs.
IN_AWS = {"AWS_DEFAULT_REGION": "us-east-1"}
MODULE_MISTAKES = [
    ("no_such_module", (), 2, "module no_such_module not found: correct --module-name, or change to its folder"),
    ("no_function.inner", (), 2, "module no_function.inner not found"),
    (".relative", (), 2, "'.relative' is no module name: expected one such as pipelines.fraud.pipeline"),
    ("no_function", (), 2, "module no_function has no get_pipeline function"),
    ("broken", (), 1, "module broken cannot be imported: No module named 'not_installed_anywhere'"),
    ("raising", (), 1, "module raising cannot be imported: RuntimeError: two lines"),
    ("picky", ('{"bukcet": 1}',), 2, "--kwargs: picky.get_pipeline does not take bukcet; it takes region, bucket"),
    ("picky", ('{"bucket": "b"}',), 2, "--kwargs: bucket is wrong"),
    ("picky", (), 1, "picky.get_pipeline failed: ValueError: bucket is wrong"),
    ("picky.py", (), 2, "module picky.py not found: give its name without .py, or change to its folder"),
    ("demanding", (), 2, "demanding.get_pipeline: missing a required argument: 'bucket'; pass it in --kwargs"),
    ("wrong_kind", (), 1, "wrong_kind.get_pipeline returned int: expected a pipeline with a definition()"),
]


@pytest.mark.parametrize(("module", "kwargs", "code", "message"), MODULE_MISTAKES)
@pytest.mark.parametrize("command", [RUN, PRINT])
def test_a_module_that_makes_no_pipeline_says_why(
    folder: Path, command: str, module: str, kwargs: tuple[str, ...], code: int, message: str
) -> None:
    flags = ("--module-name", module, "--role-arn", ROLE, *(("--kwargs", *kwargs) if kwargs else ()))
    answer, line = refuse(folder, command, *flags, **IN_AWS)
    assert answer == code
    assert message in line


def test_without_credentials_the_line_says_how_to_get_some(folder: Path) -> None:
    code, line = refuse(folder, RUN, "--definition", "pipeline.json", "--role-arn", ROLE, **IN_AWS)
    assert code == 1
    assert line.startswith("NoCredentialsError: Unable to locate credentials. Next: log in again")


def test_without_a_region_the_line_says_where_to_set_one(folder: Path) -> None:
    code, line = refuse(folder, RUN, "--definition", "pipeline.json", "--role-arn", ROLE)
    assert (code, line) == (
        2,
        "NoRegionError: You must specify a region. Next: set AWS_DEFAULT_REGION, or run with --local",
    )


def test_a_role_that_is_no_arn_is_refused_before_anything_is_compiled(folder: Path) -> None:
    code, line = refuse(folder, PRINT, "--module-name", "raising", "--role-arn", "myrole", **IN_AWS)
    assert (code, line) == (2, "--role-arn myrole is no role's ARN: expected arn:aws:iam::<account>:role/<name>")


def test_a_root_that_cannot_be_had_says_which_option_chooses_another(folder: Path) -> None:
    code, line = refuse(folder, RUN, *FILE, "--local-root", "pipeline.json")
    assert code == 1
    assert line.endswith("choose another root folder with --local-root DIR")


def test_verbose_shows_the_traceback_and_the_line(folder: Path) -> None:
    answer = call(folder, RUN, "--verbose", "--module-name", "no_function", "--role-arn", ROLE, **IN_AWS)
    assert answer.returncode == 2
    assert answer.stderr.startswith("Traceback (most recent call last):")
    assert answer.stderr.splitlines()[-1].startswith("run-pipeline: error: module no_function has no get_pipeline")


def test_an_earlier_outcome_survives_wrong_usage(folder: Path) -> None:
    (folder / "outcome.json").write_text("earlier")
    refuse(folder, RUN, *FILE, "--json", "outcome.json", "--parameter", "Typo=1")
    assert (folder / "outcome.json").read_text() == "earlier"


def test_help_needs_no_aws_library(folder: Path) -> None:
    answer = call(folder, RUN, "--help", PYTHONPROFILEIMPORTTIME="1")
    assert answer.returncode == 0
    assert "--parameter NAME=VALUE" in answer.stdout
    assert not [line for line in answer.stderr.splitlines() if line.endswith((" boto3", " botocore", " rich"))]


def test_the_definition_is_all_that_is_printed(folder: Path) -> None:
    answer = call(folder, PRINT, "--module-name", "noisy", **IN_AWS)
    assert json.loads(answer.stdout) == {"Steps": [], "Parameters": []}
    assert (answer.returncode, answer.stderr) == (0, "noise\n")


def test_the_definition_can_go_to_a_file(folder: Path) -> None:
    answer = call(folder, PRINT, "--module-name", "noisy", "--file-name", "out.json", **IN_AWS)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert json.loads((folder / "out.json").read_text()) == {"Steps": [], "Parameters": []}


def test_a_file_that_cannot_be_written_is_found_before_anything_is_compiled(folder: Path) -> None:
    code, line = refuse(folder, PRINT, "--module-name", "raising", "--file-name", "missing/out.json", **IN_AWS)
    assert (code, line) == (
        2,
        "--file-name missing/out.json: name a file in a folder that exists and can be written to",
    )


def test_input_data_that_get_pipeline_does_not_take_is_refused(folder: Path) -> None:
    code, line = refuse(folder, PRINT, "--module-name", "plain", "--input-data", ".", **IN_AWS)
    assert code == 2
    assert line.startswith("--input-data: this get_pipeline takes no input_data")
