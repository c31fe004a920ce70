"""Facts of whole runs, as the renderings take them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipelines.delivery.gate import Branch, Check, Package, Verdict
from pipelines.delivery.report.facts import Champion, Facts, PackageFact, Report, StepFact, Trial, Tuning
from pipelines.delivery.report.graph import read_graph
from pipelines.delivery.report.quality import Quality, read_quality
from pipelines.delivery.snapshot import Trials
from tests.delivery.pipelines import TWO_BRANCHES
from tests.delivery.scripted import EXECUTION, PACKAGE

HOSTILE = '<script>alert("1")</script> ](http://x) | `a` @team #1 <!-- --> "];click n0 </style> www.x.org $(x) \n\n# h'


def document(auc: float = 0.9, *, curves: bool = True) -> dict[str, Any]:
    """A report in the Model Quality schema."""
    metrics: dict[str, Any] = {
        "auc": {"value": auc, "standard_deviation": 0.02},
        "precision": {"value": 0.75, "standard_deviation": "NaN"},
        "confusion_matrix": {"0": {"0": 900, "1": 10}, "1": {"0": 30, "1": 60}},
    }
    if curves:
        metrics["receiver_operating_characteristic_curve"] = {
            "false_positive_rates": [0.0, 0.1, 1.0],
            "true_positive_rates": [0.0, 0.8, 1.0],
        }
        metrics["precision_recall_curve"] = {"precisions": [1.0, 0.8, 0.09], "recalls": [0.0, 0.6, 1.0]}
    return {"dataset": {"item_count": 1000}, "binary_classification_metrics": metrics}


def quality(auc: float = 0.9, *, curves: bool = True) -> Quality:
    """What such a report says."""
    found = read_quality(document(auc, curves=curves))
    assert found
    return found


def check(value: float = 0.8, *, metric: str = "auc") -> Check:
    """A comparison with the threshold 0.85."""
    return Check(
        "AucGate", f"m.{metric}.value", metric, "LessThanOrEqualTo", value, 0.85, "RocAucThreshold", "s3://b/e"
    )


VERDICT = Verdict(
    "registered",
    "RegisterTuned registered model package fraud/3",
    model_package_arn=PACKAGE,
    branches=(Branch("AucGate", True),),
    checks=(check(),),
    trials=Trials(2, 0, 1, 3, "validation:auc", 0.91, "tune-002"),
    tuned_roc_auc=0.9,
    champion=Package("arn:aws:sagemaker:us-east-1:000000000000:model-package/fraud/2", value=0.88),
)
STATES = {
    "Train": "cached",
    "Evaluate": "succeeded",
    "AucGate": "succeeded",
    "Tune": "succeeded",
    "EvaluateTuned": "succeeded",
    "RegisterTuned": "succeeded",
}
STEPS = (
    StepFact("Train", "Training", "cached", 0.0, 0.1, "validation:auc 0.8112"),
    StepFact("Evaluate", "Processing", "succeeded", 0.1, 2.0, cache_reason="the image changed"),
    StepFact("AucGate", "Condition", "succeeded", 2.1, 0.0, "true"),
    StepFact("Tune", "Tuning", "succeeded", 2.1, 60.0, "trials 2/3, 1 failed"),
    StepFact("EvaluateTuned", "Processing", "succeeded", 62.1, 2.0),
    StepFact("RegisterTuned", "RegisterModel", "succeeded", 64.1, 0.0, "fraud/3"),
)
TUNING = Tuning(
    "Tune",
    "validation:auc",
    minimize=False,
    trials=(
        Trial(1, "tune-001", "Completed", 0.7, {"eta": "0.1", "max_depth": "3"}, 20.0),
        Trial(2, "tune-002", "Completed", 0.91, {"eta": "0.30000000001", "max_depth": "5"}, 20.0, is_best=True),
        Trial(3, "tune-003", "Failed", None, {"eta": "0.2", "max_depth": "4"}, 1.0),
    ),
)
REGISTERED = Facts(
    pipeline="fraud",
    execution_arn=EXECUTION,
    status="Succeeded",
    verdict=VERDICT,
    started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    seconds=64.1,
    steps=STEPS,
    graph=read_graph(TWO_BRANCHES).marked(STATES, {"AucGate": True}, {"AucGate": "0.8 ≤ 0.85"}),
    reports=(Report("Evaluate", quality(0.8)), Report("EvaluateTuned", quality(0.9))),
    tuning=TUNING,
    importance=(("age", 0.6), ("claims", 0.4), ("colour", 0.0)),
    champion=Champion("fraud/2", 0.88, quality(0.88)),
    package=PackageFact(PACKAGE, "PendingManualApproval", f"aws approve {PACKAGE}"),
    parameters={"RocAucThreshold": 0.85},
    commit="0123456789abcdef0123456789abcdef01234567",
    data_hash="e8be" * 16,
)
REJECTED = replace(
    REGISTERED,
    verdict=replace(
        VERDICT, outcome="rejected", reason="ROC AUC 0.84 is not above 0.85", model_package_arn=None, tuned_roc_auc=0.84
    ),
    steps=(
        *STEPS[:4],
        StepFact("EvaluateTuned", "Processing", "rejected", 62.1, 2.0, "ROC AUC 0.84 is not above 0.85"),
    ),
    reports=REGISTERED.reports[:1],
    package=None,
)
FAILED = Facts(
    pipeline="fraud",
    execution_arn=EXECUTION,
    status="Failed",
    verdict=Verdict("failed", "Train failed: AlgorithmError: no rows"),
    steps=(
        StepFact("Train", "Training", "failed", 0.0, 1.0, "AlgorithmError", None, "tail x.log", ("no rows", "bye")),
    ),
    graph=read_graph(TWO_BRANCHES).marked({"Train": "failed"}, {}, {}),
)
STOPPED = replace(FAILED, status="Stopped", verdict=Verdict("failed", "the execution was stopped"), steps=())
REGRESSION = Facts(
    pipeline="abalone",
    execution_arn=EXECUTION,
    status="Succeeded",
    verdict=Verdict("registered", "registered", model_package_arn=PACKAGE, checks=(check(4.9, metric="mse"),)),
    reports=(Report("Eval", Quality(metrics=quality(curves=False).metrics[:1])),),
)
BARE = Facts("fraud", EXECUTION, "Succeeded", Verdict("finished", "every step succeeded"))
ALL = {
    "registered": REGISTERED,
    "rejected": REJECTED,
    "failed": FAILED,
    "stopped": STOPPED,
    "regression": REGRESSION,
    "bare": BARE,
}


def hostile(facts: Facts = REGISTERED) -> Facts:
    """Facts in which every text of others tries to act as markup."""
    first, *rest = facts.graph.nodes
    edges = tuple(
        replace(edge, source=HOSTILE if edge.source == first.name else edge.source) for edge in facts.graph.edges
    )
    graph = replace(facts.graph, nodes=(replace(first, name=HOSTILE, note=HOSTILE), *rest), edges=edges)
    trial = Trial(1, HOSTILE, HOSTILE, 0.5, {HOSTILE: HOSTILE})
    spoilt = replace(quality(), metrics=(replace(quality().metrics[0], name=HOSTILE),))
    return replace(
        facts,
        pipeline=HOSTILE,
        verdict=replace(facts.verdict, outcome="failed", reason=HOSTILE),
        steps=(StepFact(HOSTILE, HOSTILE, "failed", 0.0, 1.0, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),),
        graph=graph,
        reports=(Report(HOSTILE, spoilt),),
        tuning=Tuning(HOSTILE, HOSTILE, minimize=True, trials=(trial, replace(trial, number=2))),
        importance=((HOSTILE, 1.0),),
        champion=Champion(HOSTILE, 0.88, quality()),
        package=PackageFact(HOSTILE, "PendingManualApproval", HOSTILE),
        parameters={HOSTILE: HOSTILE},
        commit=HOSTILE,
        data_hash=HOSTILE,
    )
