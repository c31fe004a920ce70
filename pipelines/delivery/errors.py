"""What can go wrong between a pipeline and its verdict, by whose fault it is."""


class DeliveryError(Exception):
    """The root of every error that a command shows as one line."""

    exit_code = 1


class UsageError(DeliveryError):
    """What was asked for makes no sense: nothing was started or written."""

    exit_code = 2


class UploadError(DeliveryError):
    """Files that cannot be uploaded as they are."""


class InterruptionError(DeliveryError):
    """The person stopped following; the execution goes on without them."""


class FollowingTimeoutError(DeliveryError):
    """The time to follow is over; the execution goes on."""


class ContactError(DeliveryError):
    """The service could not be asked for too long; the execution goes on."""


class TrackingError(DeliveryError):
    """MLflow could not be told; what it was to be told of is as it is."""
