"""What can go wrong on the local SageMaker, by whose fault it is."""


class LocalError(Exception):
    """The root of every error that the local SageMaker raises."""


class ServiceError(LocalError):
    """A request that the service refuses: the caller's mistake, answered with an AWS error code."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class ValidationError(ServiceError):
    """A request whose content is not allowed (ValidationException)."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class DefinitionError(ValidationError):
    """A pipeline definition that the service would not accept."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Unable to parse pipeline definition. {message}")


class ResourceNotFound(ServiceError):
    """A request for something that does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFound", message)


class ConflictError(ServiceError):
    """A request that the present state does not allow (ConflictException)."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class ResourceInUse(ServiceError):
    """A request to create what already exists."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class StateError(ServiceError):
    """A state that cannot be read or written down; the statuses are none that botocore retries."""


class DiskFull(StateError):
    """A state that cannot be written down."""

    def __init__(self, message: str) -> None:
        super().__init__("InternalError", message, status=507)


class StateLost(StateError):
    """A state whose file is not what it was when it was opened."""

    def __init__(self, message: str) -> None:
        super().__init__("StateLost", message, status=410)


class StepFailure(LocalError):
    """A step that failed on its own account; the message is its FailureReason."""


class StoppedByUser(LocalError):
    """A step that ended because its execution was stopped."""
