"""The quotas of the instances that the settings name."""

from dataclasses import replace

from pipelines.adoption.doctor.finding import Verdict
from pipelines.adoption.doctor.quotas import check_quotas, needed_quotas
from tests.adoption.aws import QUOTAS, MotoAws
from tests.adoption.cli import carry_out
from tests.adoption.doctor.subjects import problem, settings, subject, verdicts

TRAINING = "ml.m5.xlarge for training job usage"


def test_quotas_that_are_enough_are_well(aws: MotoAws) -> None:
    found = list(check_quotas(subject(aws)))
    assert verdicts(iter(found)) == {f"quota {name}": Verdict.OK for name in QUOTAS}
    assert found[1].says == "20, and 5 is enough"


def test_a_quota_that_is_too_low_has_the_request_that_raises_it(aws: MotoAws) -> None:
    aws.quotas[TRAINING] = 1
    found = problem(check_quotas, subject(aws))
    assert (found.name, found.says) == (f"quota {TRAINING}", "1, and 5 are needed")
    aws.answers["RequestServiceQuotaIncrease"] = lambda _: {}
    carry_out(found.steps[0])
    assert aws.sent("RequestServiceQuotaIncrease") == [
        {"ServiceCode": "sagemaker", "QuotaCode": "L-0002", "DesiredValue": 5.0}
    ]


def test_exactly_enough_is_enough(aws: MotoAws) -> None:
    aws.quotas = dict.fromkeys(QUOTAS, 5.0)
    assert set(verdicts(check_quotas(subject(aws))).values()) == {Verdict.OK}


def test_what_nobody_has_raised_is_known_by_its_default(aws: MotoAws) -> None:
    aws.quotas = {TRAINING: 20}
    default = [
        {"ServiceCode": "sagemaker", "QuotaName": name, "QuotaCode": code, "Value": 0.0}
        for name, code in QUOTAS.items()
    ]
    aws.answers["ListAWSDefaultServiceQuotas"] = lambda _: {"Quotas": default}
    found = verdicts(check_quotas(subject(aws)))
    assert found.pop(f"quota {TRAINING}") is Verdict.OK
    assert set(found.values()) == {Verdict.PROBLEM}


def test_an_instance_type_that_the_region_has_not_is_a_problem(aws: MotoAws) -> None:
    unknown = replace(settings(), hosting_instance_type="ml.p99.large")
    found = problem(check_quotas, subject(aws, of=unknown))
    assert found.name == "quota ml.p99.large for endpoint usage"
    assert found.steps == ("choose another",)


def test_a_search_needs_as_many_instances_as_it_trains_models_side_by_side() -> None:
    of_two = needed_quotas(replace(settings(), max_parallel_tuning_jobs=2, training_instance_type="ml.c5.xlarge"))
    assert of_two["ml.c5.xlarge for training job usage"] == 2


def test_all_pages_are_read(aws: MotoAws) -> None:
    names = list(QUOTAS)

    def page(request: dict[str, str]) -> dict[str, object]:
        index = int(request.get("NextToken", "0"))
        name = names[index]
        quota = {"ServiceCode": "sagemaker", "QuotaName": name, "QuotaCode": QUOTAS[name], "Value": 20.0}
        return {"Quotas": [quota]} | ({"NextToken": str(index + 1)} if index + 1 < len(names) else {})

    aws.answers["ListServiceQuotas"] = page
    assert set(verdicts(check_quotas(subject(aws))).values()) == {Verdict.OK}
    assert aws.sent("ListAWSDefaultServiceQuotas") == []
