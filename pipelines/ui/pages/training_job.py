"""The page of a training job, such as a trial of a tuning job."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines.ui.jobs import read_job
from pipelines.ui.log import read_log
from pipelines.ui.rendering import missing, render, site

GOING_ON = frozenset({"InProgress", "Stopping"})


def show(request: Request) -> Response:
    """Show a training job, as it is now."""
    place, name = site(request), request.path_params["job"]
    job = read_job(place, "Training", name)
    if job is None:
        raise missing(f"there is no training job {name}")
    log = place.places.job_log("Training", name)
    shown = {
        "title": name,
        "job": job,
        "log": read_log(log) if log and place.places.root else None,
        "show_log": log,
        "tuning": job.description.get("TuningJobArn", "").rpartition("/")[2],
    }
    return render(request, "training_job.html", shown, live=job.status in GOING_ON)


ROUTES = (Route("/training-jobs/{job}", show),)
