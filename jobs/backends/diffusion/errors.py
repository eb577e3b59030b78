"""What goes wrong with image services, as one tree.

    BackendError
    └── ServiceError
        ├── NotSetUp            a setting is missing or makes no sense
        ├── Unreachable         no connection, or it broke                 may be tried again
        ├── Busy                429, 503, or all our own slots are taken   may be tried again
        ├── TooSlow             our deadline passed                        no: may cost twice
        ├── Faulty              5xx                                        may be tried again
        ├── Stopped             a prediction that somebody else ended      may be tried again
        ├── KeyRefused          401, 402, 403
        ├── RequestRefused      any other 4xx: fields or model are configured wrongly
        ├── BadServiceResponse  no JSON, no picture, wrong size, too large, a refused link
        ├── PredictionFailed    the model itself failed
        ├── BudgetSpent         today's limit is reached, or cannot be counted
        └── PictureRefused      the content filter: not ours, the attempt counts

`retry` and `is_ours` belong to the class. The detail is for operators and has been through `scrub`.
"""

from __future__ import annotations

from jobs.backends.base import BackendError


class ServiceError(BackendError):
    """An image service did not give us a picture."""

    code = "service_error"
    message = "The image service could not make the picture."

    def __init__(self, detail: str, user_message: str | None = None) -> None:
        super().__init__(user_message or self.message, detail=detail)


class NotSetUp(ServiceError):
    """A setting is missing; the sentence names it."""

    code = "backend_not_set_up"
    message = "This image service is not set up on this server."


class Unreachable(ServiceError):
    """No connection to the service, or it broke off."""

    code = "service_unreachable"
    message = "The image service does not answer at the moment. Please try again in a minute."
    retry = True


class Busy(ServiceError):
    """The service, or our share of it, is fully used."""

    code = "service_busy"
    message = "The image service is busy at the moment. Please try again in a minute."
    retry = True


class TooSlow(ServiceError):
    """No picture before our deadline."""

    code = "service_too_slow"
    message = "The image service took too long and was stopped. Please try again."


class Faulty(ServiceError):
    """The service reports a fault of its own."""

    code = "service_faulty"
    message = "The image service had a fault. Please try again in a minute."
    retry = True


class Stopped(ServiceError):
    """The prediction was canceled or aborted, and not by us."""

    code = "service_stopped"
    message = "The image service stopped before the picture was finished. Please try again."
    retry = True


class KeyRefused(ServiceError):
    """The service does not accept our key, or the account behind it."""

    code = "service_key_refused"
    message = (
        "The image service does not accept this server's key or account. "
        "Only the operator of this site can change that."
    )


class RequestRefused(ServiceError):
    """The service does not take the request as configured."""

    code = "service_request_refused"
    message = (
        "The image service did not accept the request. "
        "The operator of this site should check its model and fields."
    )


class BadServiceResponse(ServiceError):
    """The service sent something that is not the picture."""

    code = "service_bad_answer"
    message = "The image service sent back something that is not a usable picture."


class PredictionFailed(ServiceError):
    """The model ran and failed."""

    code = "service_failed"
    message = "The image service could not make this picture. Please try again."


class BudgetSpent(ServiceError):
    """Paid pictures are limited per day."""

    code = "service_budget_spent"
    message = (
        "Today's number of pictures from the image service is used up. Please come back tomorrow."
    )


class PictureRefused(ServiceError):
    """The service's content filter does not let the picture through."""

    code = "service_refused_picture"
    message = (
        "The image service's content filter refused this picture. Try another photo or wallpaper."
    )
    is_ours = False
