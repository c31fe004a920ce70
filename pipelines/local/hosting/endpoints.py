"""Endpoints: created, updated, described and deleted here, served by a process of their own."""

import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from pipelines.local.database import Document
from pipelines.local.errors import ServiceError, ValidationError
from pipelines.local.hosting.configs import EndpointConfigs
from pipelines.local.hosting.connections import Call, Connections, NoReply, Reply
from pipelines.local.hosting.deployment_requests import check_deployment
from pipelines.local.hosting.documents import CONFIGS, KIND, OWNER, URL, WANTED, config_of, needs_process
from pipelines.local.hosting.logs import log_of
from pipelines.local.hosting.starter import CannotStart, Starter
from pipelines.local.jobs.machine import Machine
from pipelines.local.jobs.requests import refuse
from pipelines.local.ownership import Ownership

# The statuses of an endpoint that answers requests.
SERVING = ("InService", "Updating", "RollingBack")
START_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.05
# A model may take 60 seconds for its answer; the service's clients are told to wait 70.
REPLY_SECONDS = 70.0
PING_BYTES = 1 << 16
# The status of InternalDependencyException; botocore repeats no request for it.
NO_DEPENDENCY = 530


class Endpoints:
    """The endpoints of this machine: what each shall become is written down, and its process carries that out.

    A process that has died is started anew by whoever asks for its endpoint next.
    """

    def __init__(self, machine: Machine, ownership: Ownership) -> None:
        self.configs = EndpointConfigs(machine)
        self._machine = machine
        self._database = machine.database
        self._ownership = ownership
        self._starter = Starter(machine.root)
        self._connections = Connections(REPLY_SECONDS)

    def create(self, request: Document) -> Document:
        """Create an endpoint, and start its process; `request` is that of CreateEndpoint.

        Raises:
            ValidationError: its name is taken, or its configuration is missing.
        """
        name, now = request["EndpointName"], time.time()
        with self._database.transaction():
            if self._database.get(KIND, name) is not None:
                raise ValidationError(f'Cannot create already existing endpoint "{self._arn(name)}".')
            endpoint = {
                "EndpointName": name,
                "EndpointArn": self._arn(name),
                "EndpointConfigName": request["EndpointConfigName"],
                "EndpointStatus": "Creating",
                "CreationTime": now,
                "LastModifiedTime": now,
                **self._wish(request["EndpointConfigName"], request.get("DeploymentConfig"), {}),
            }
            self._database.insert(KIND, name, endpoint)
        self._revive(endpoint)
        return endpoint

    def update(self, request: Document) -> Document:
        """Let an endpoint serve another configuration, or the same anew; `request` is that of UpdateEndpoint.

        Raises:
            ValidationError: it is missing or not in service, or so is what it shall serve.
        """
        if request.get("RetainAllVariantProperties"):
            raise refuse("RetainAllVariantProperties", value=True, allowed="false: the configuration has the values")
        name = request["EndpointName"]
        with self._database.transaction():
            endpoint = self.find(name)
            if endpoint["EndpointStatus"] == "Failed":
                raise ValidationError(f'Cannot update endpoint "{self._arn(name)}": it has failed; delete it.')
            self._check_settled(endpoint)
            deployment = request.get("DeploymentConfig")
            if request.get("RetainDeploymentConfig"):
                deployment = endpoint.get("LastDeploymentConfig")
            wish = self._wish(request["EndpointConfigName"], deployment, endpoint)
            changes = {"EndpointStatus": "Updating", "LastModifiedTime": time.time(), **wish}
            endpoint = self._database.update(KIND, name, **changes)
        self._revive(endpoint)
        return endpoint

    def _wish(self, config_name: str, deployment: Document | None, endpoint: Document) -> Document:
        """Return the members that tell the process of an endpoint what to serve from now on."""
        config = self.configs.describe(config_name)
        if deployment:
            check_deployment(self._database, deployment, config)
        serving = endpoint.get("EndpointConfigName", config_name)
        copies = {serving: config_of(self._database, endpoint, serving), config_name: config}
        wanted = {"EndpointConfigName": config_name, "DeploymentConfig": deployment}
        last = {"LastDeploymentConfig": deployment} if deployment else {}
        return {WANTED: wanted, CONFIGS: copies, **last}

    def delete(self, name: str) -> None:
        """Delete an endpoint, which its process does when its last requests are answered.

        Raises:
            ValidationError: it is missing, or something is being done to it already.
        """
        with self._database.transaction():
            endpoint = self.find(name)
            self._check_settled(endpoint)
            if endpoint["EndpointStatus"] == "Failed":
                # It serves nothing, and its process is about to end if it has not.
                self._database.delete(KIND, name)
                return
            changes = {"EndpointStatus": "Deleting", "LastModifiedTime": time.time(), WANTED: {"Deleted": True}}
            endpoint = self._database.update(KIND, name, **changes)
        self._revive(endpoint)

    def _check_settled(self, endpoint: Document) -> None:
        if endpoint["EndpointStatus"] not in ("InService", "Failed"):
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')

    def find(self, name: str) -> Document:
        """Return the document of an endpoint.

        Raises:
            ValidationError: there is none.
        """
        endpoint = self._database.get(KIND, name)
        if endpoint is None:
            raise ValidationError(f'Could not find endpoint "{self._arn(name)}".')
        return endpoint

    def describe(self, name: str) -> Document:
        """Return the document of an endpoint, whose process is started anew if it has died, but not waited for."""
        self._revive(self.find(name))
        return self.find(name)

    def all(self) -> list[Document]:
        """Return the documents of all endpoints, oldest first; their processes are seen to as by `describe`."""
        for endpoint in self._database.list(KIND):
            self._revive(endpoint)
        return self._database.list(KIND)

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes, limit: int) -> Reply:
        """Send a request to what an endpoint serves, and return the reply, up to `limit` bytes of it.

        Raises:
            ServiceError: ValidationError when there is no such endpoint in service; InternalDependencyException when
                it cannot be brought to answer.
            TimeoutError: it does not answer in time.
        """
        endpoint = self._serving(name)
        # Without its owner, somebody else may have its port by now.
        if URL in endpoint and self._has_owner(endpoint):
            with suppress(NoReply):
                call = Call("POST", f"{endpoint[URL]}/invocations", headers, body)
                return self._connections.send(call, limit)
        url = self.running_url(name)
        try:
            return self._connections.send(Call("POST", f"{url}/invocations", headers, body), limit)
        except NoReply as error:
            raise self._unreachable(name, str(error)) from error

    def running_url(self, name: str) -> str:
        """Return the address of an endpoint that serves; a process that has died is started anew, and waited for.

        Raises:
            ServiceError: as `invoke`.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            endpoint = self._serving(name)
            problem = self._revive(endpoint)
            if problem:
                raise self._unreachable(name, problem)
            if self._answers(endpoint):
                return str(endpoint[URL])
            time.sleep(LOOK_AGAIN_SECONDS)
        raise self._unreachable(name, f"nothing for {START_SECONDS:.0f} seconds")

    def _answers(self, endpoint: Document) -> bool:
        if URL not in endpoint or not self._has_owner(endpoint):
            return False
        try:
            reply = self._connections.send(Call("GET", f"{endpoint[URL]}/ping"), PING_BYTES)
        except (NoReply, TimeoutError):
            return False
        # One that says why it serves nothing has that to say to each request.
        return reply.status == HTTPStatus.OK or bool(reply.body)

    def _serving(self, name: str) -> Document:
        endpoint = self._database.get(KIND, name)
        if endpoint is None or endpoint["EndpointStatus"] not in SERVING:
            message = f"Endpoint {name} of account {self._machine.account} not found."
            raise ServiceError("ValidationError", message)
        return endpoint

    def _unreachable(self, name: str, problem: str) -> ServiceError:
        message = f"Endpoint {name} does not answer ({problem}); see {log_of(self._machine.root, name)}."
        return ServiceError("InternalDependencyException", message, status=NO_DEPENDENCY)

    def _revive(self, endpoint: Document) -> str | None:
        """See to it that an endpoint has a process, if there is something for it to do; return why it has none."""
        if needs_process(endpoint) and not self._has_owner(endpoint):
            try:
                self._starter.start(endpoint["EndpointName"], endpoint.get(OWNER))
            except CannotStart as error:
                self._give_up(endpoint, str(error))
                return str(error)
        return None

    def _has_owner(self, endpoint: Document) -> bool:
        return OWNER in endpoint and self._ownership.is_alive(endpoint[OWNER])

    def _give_up(self, endpoint: Document, problem: str) -> None:
        """End what has begun with an endpoint; what has been in service is tried again when it is asked for again."""
        name = endpoint["EndpointName"]
        with self._database.transaction():
            if self._database.get(KIND, name) != endpoint:
                return
            if endpoint["EndpointStatus"] == "Deleting":
                self._database.delete(KIND, name)
            elif endpoint["EndpointStatus"] == "Creating":
                reason = f"{problem} (see {log_of(self._machine.root, name)})"
                failed = {"EndpointStatus": "Failed", "FailureReason": reason, "LastModifiedTime": time.time()}
                kept = {member: value for member, value in endpoint.items() if member != WANTED}
                self._database.put(KIND, name, kept | failed)

    def close(self) -> None:
        """Close this process's connections to endpoints; those go on."""
        self._connections.close()

    def _arn(self, name: str) -> str:
        return self._machine.arn(f"{KIND}/{name}")
