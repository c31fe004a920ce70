"""The program that a container runs as `serve`: HTTP on a unix socket, by workers that share one loaded model.

Started by its path, with the socket to make: `python serving.py /tmp/folder/socket`. Standalone: it runs where this
package is not installed. The variables are those of the images' toolkit, SAGEMAKER_PROGRAM and SAGEMAKER_MODEL_SERVER_*
among them. Each worker answers one request at a time, and its connections are kept.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from pipelines.local.containers import serving_answers as answers
    from pipelines.local.containers import serving_script, serving_workers, serving_xgboost
    from pipelines.local.containers.serving_answers import Answer, Model, Question
    from pipelines.local.containers.serving_workers import Balance
else:
    # The folder of the script is on the path, this package is not; the user's modules must not find ours.
    import serving_answers as answers
    import serving_script
    import serving_workers
    import serving_xgboost
    from serving_answers import Answer, Model, Question
    from serving_workers import Balance

    sys.path.remove(str(Path(__file__).resolve().parent))

logger = logging.getLogger("serving")

MEBIBYTE = 1 << 20
# What InvokeEndpoint takes, in MiB, and how long it waits for an answer, in seconds.
PAYLOAD_LIMIT, RESPONSE_LIMIT = 6, 60
# What a payload limit of 0 stands for, in MiB.
NO_LIMIT = 1 << 20
MOST_WORKERS = 4


def main() -> None:
    """Load the model, and answer requests until SIGTERM."""
    logging.basicConfig(format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", level=logging.INFO)
    model = load_apart() if "OMP_NUM_THREADS" in os.environ else load_with_one_thread()
    gc.collect()
    gc.freeze()
    timeout = setting("SAGEMAKER_MODEL_SERVER_TIMEOUT", RESPONSE_LIMIT)
    routes = partial(application, model)
    serving_workers.Workers(routes, sys.argv[1], workers=worker_count(), timeout=timeout).run()


def load_apart() -> Model:
    """Return the model, loaded where OpenMP's threads do no harm: who started some waits for them in vain in a fork."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(load).result()


def load_with_one_thread() -> Model:
    """Return the model; OpenMP has one thread here and in each worker, as in the image of XGBoost."""
    os.environ["OMP_NUM_THREADS"] = "1"
    # Libraries that were loaded before this program have read the variable already.
    import threadpoolctl  # noqa: PLC0415 only then is it needed

    threadpoolctl.threadpool_limits(1, user_api="openmp")
    return load()


def load() -> Model:
    """Return the model: behind the user's program, if there is one, or the built-in algorithm's.

    Raises:
        ValueError: there is neither.
    """
    folder = Path(os.environ.get("SM_MODEL_DIR") or "/opt/ml/model")
    code = Path(os.environ.get("SM_MODULE_DIR") or "/opt/ml/code")
    program = os.environ.get("SAGEMAKER_PROGRAM")
    is_xgboost = os.environ.get("SAGEMAKER_SERVING_MODULE", "").startswith("sagemaker_xgboost")
    if program:
        return serving_script.load(program, code, folder, xgboost=is_xgboost)
    if not is_xgboost:
        raise ValueError("SAGEMAKER_PROGRAM is not set; the image of scikit-learn has no algorithm of its own")
    return serving_xgboost.load(folder)


def setting(name: str, default: int) -> int:
    """Return a variable that is a whole number.

    Raises:
        ValueError: it is none.
    """
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise ValueError(f"{name} is {text!r}; it must be a whole number")
    return int(text)


def worker_count() -> int:
    """Return how many workers answer requests."""
    cpus = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, setting("SAGEMAKER_MODEL_SERVER_WORKERS", min(cpus, MOST_WORKERS)))


def application(model: Model, balance: Balance) -> web.Application:
    """Return the routes of a container that serves a model."""
    mebibytes = setting("SAGEMAKER_MAX_PAYLOAD_IN_MB", PAYLOAD_LIMIT)
    limit = (mebibytes or NO_LIMIT) * MEBIBYTE
    workers = worker_count()

    async def ping(_: web.Request) -> web.Response:
        return web.Response()

    async def execution_parameters(_: web.Request) -> web.Response:
        parameters = {"MaxConcurrentTransforms": workers, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": mebibytes}
        return web.json_response(parameters)

    async def invocations(request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = None
        balance.busy()
        # It blocks this worker on purpose: gunicorn notices one that hangs, and the others answer meanwhile.
        if body is None or len(body) > limit:
            given = refused(answers.TOO_LARGE, f"the body has more than {mebibytes} MiB; send fewer rows at once")
        else:
            headers = request.headers
            given = answer(model, Question(body, headers.get("Content-Type", ""), headers.get("Accept", "")))
        balance.idle()
        response = web.Response(body=given.body, status=given.status, headers={"Content-Type": given.content_type})
        if balance.closes(request):
            response.force_close()
        return response

    # One more, for versions of the library differ in whether the limit itself is allowed.
    app = web.Application(client_max_size=limit + 1)
    app.router.add_get("/ping", ping)
    app.router.add_get("/execution-parameters", execution_parameters)
    app.router.add_post("/invocations", invocations)
    return app


def answer(model: Model, question: Question) -> Answer:
    """Return a model's answer, or, where it raises, the error on one line: a ValueError is the caller's mistake."""
    if not question.body:
        return refused(answers.BAD_REQUEST, "the body is empty; send at least one row")
    try:
        given = model(question)
    except answers.Refusal as refusal:
        return refused(refusal.status, answers.one_line(refusal))
    except ValueError as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.warning("%s at %s, line %s", type(error).__name__, place.filename, place.lineno)
        return refused(answers.BAD_REQUEST, answers.one_line(error))
    except (Exception, SystemExit) as error:
        logger.error("%s", "".join(traceback.format_exception(error)).rstrip())
        return refused(answers.SERVER_ERROR, f"{type(error).__name__}: {answers.one_line(error)}")
    if given.status >= answers.BAD_REQUEST:
        log(given)
    return given


def refused(status: int, message: str) -> Answer:
    """Return an answer that says in one line why there is none, and log it."""
    given = Answer(message.encode(), "text/plain; charset=utf-8", status)
    log(given)
    return given


def log(refusal: Answer) -> None:
    """Log an answer that is an error, on one line."""
    text = refusal.body[: answers.MOST_CHARACTERS].decode("utf-8", errors="replace")
    logger.warning("%d: %s", refusal.status, " ".join(text.split()))


if __name__ == "__main__":
    main()
