"""Why a link was not fetched. Callers catch `FetchError`.

    FetchError
    ├── InvalidLink        not a link we follow: scheme, port, user name, characters, length
    ├── Unreachable        no connection: unknown name, refused, AND everything private
    ├── TooSlow            the total deadline passed
    ├── TooLarge           more bytes than the cap
    ├── NotFound           404, 410
    ├── NotAllowed         401, 403 and their like
    ├── BadResponse        another status, broken HTTP, compressed or short body, bad redirect
    ├── EmptyResponse      200 with nothing in it
    └── Insecure           the certificate does not hold, or a redirect leaves https

A private address, an unknown name and a closed port get the same sentence: whoever may type links
must not be able to map the network behind the server from our messages. The real reason is in
`detail`, for logs.
"""

from __future__ import annotations

from typing import ClassVar


class FetchError(Exception):
    """A link that gave no file; `code` and `user_message` for the user, `detail` for the log."""

    code: ClassVar[str] = "unusable_link"
    message: ClassVar[str] = (
        "We could not use that link. Save the picture and upload the file instead."
    )

    def __init__(self, detail: str, user_message: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.user_message = user_message or self.message


class InvalidLink(FetchError):
    """The text is no link we follow; said before any name is looked up."""

    code = "invalid_link"
    message = (
        "This is not a link we can follow. Paste the picture's whole address, which begins with "
        "http:// or https://."
    )


class Unreachable(FetchError):
    """No connection, or none we make. The sentence is the same for every reason, on purpose."""

    code = "unreachable"
    message = (
        "We could not reach that link. Check that it opens in a private browser window, "
        "or save the picture and upload the file instead."
    )


class TooSlow(FetchError):
    """The whole fetch took longer than its deadline."""

    code = "too_slow"
    message = (
        "That site took too long to answer. Try again, or save the picture and upload it instead."
    )


class TooLarge(FetchError):
    """The file is over the byte cap, by its own word or by count."""

    code = "too_big"
    message = (
        "The file behind that link is too large. Save the picture, make it smaller and upload it."
    )


class NotFound(FetchError):
    """The server says there is nothing there."""

    code = "not_found"
    message = "There is nothing at that link. Check that it is complete and still works."


class NotAllowed(FetchError):
    """The server does not give the file to us."""

    code = "not_allowed"
    message = "That site does not let us fetch the picture. Save it and upload the file instead."


class BadResponse(FetchError):
    """The server's response is no plain file."""

    code = "bad_answer"
    message = (
        "That site did not send a picture we could use. Save the picture and upload it instead."
    )


class EmptyResponse(FetchError):
    """The server sent a file of no bytes."""

    code = "empty"
    message = "The file behind that link is empty. Check the link, or upload the picture instead."


class Insecure(FetchError):
    """The connection cannot be trusted."""

    code = "insecure"
    message = (
        "The connection to that site is not secure, so we did not fetch the picture. "
        "Save it and upload the file instead."
    )
