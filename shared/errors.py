"""Kinds of refusal. What each means in HTTP is `shared.http`'s business, and in a queue `shared.messaging`'s."""

import re
from typing import Any, ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """The rules say no.

    `str(refusal)` is a sentence for a person; `members` are typed facts for a program. The class
    name in kebab case is the stable name of the problem, so renaming a class changes a promise.
    """

    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str = "", **members: Any) -> None:
        super().__init__(detail or self.title)
        self.members = members

    @classmethod
    def slug(cls) -> str:
        """Name the problem: `OrderNotShipped` is `order-not-shipped`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class Invalid(Refusal):
    """What was sent cannot be right, whatever the state of things."""

    title = "Invalid request"


class Unauthenticated(Refusal):
    """Nobody knows who is asking."""

    title = "Sign-in needed"


class Forbidden(Refusal):
    """The caller is known and may see the thing, but not do this to it."""

    title = "Not allowed"


class NotFound(Refusal):
    """It does not exist, or its existence is none of the caller's business."""

    title = "Not found"


class Conflict(Refusal):
    """The present state of things does not allow it."""

    title = "Conflict"


class Stale(Refusal):
    """The caller acts on a version that has been replaced."""

    title = "Stale version"


class TooLarge(Refusal):
    title = "Too large"


class Unsupported(Refusal):
    title = "Unsupported media type"


class TooMany(Refusal):
    """A limit is reached; `retry_after` tells in how many seconds it is worth asking again."""

    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int, **members: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **members)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that is needed does not answer; the same call may go through later."""

    title = "Temporarily unavailable"


class ValidationFailed(Invalid):
    """One or more fields are wrong; `errors` points at each with a JSON pointer."""

    title = "Validation failed"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{e['pointer'] or '/'}: {e['detail']}" for e in errors), errors=errors)

    @classmethod
    def at(cls, pointer: str, detail: str) -> "ValidationFailed":
        """Point at one field, as in `at("/deadline", "is in the past")`."""
        return cls([{"pointer": pointer, "detail": detail}])

    def below(self, pointer: str) -> "ValidationFailed":
        """Point at the same fields in a document that holds the first one at `pointer`."""
        errors: list[dict[str, str]] = self.members["errors"]
        return ValidationFailed([error | {"pointer": pointer + error["pointer"]} for error in errors])


class StaleVersion(Stale):
    """`If-Match` names a version that is no longer the current one."""

    title = "Stale version"

    def __init__(self, *, current_version: int) -> None:
        super().__init__(
            f"the resource is at version {current_version} now; read it again",
            current_version=current_version,
        )


class WrongSide(Forbidden):
    """The call belongs to the order's other side."""

    title = "Only the other side may do this"


class RoleNotSufficient(Forbidden):
    """The caller's role in its organisation does not allow the call."""

    title = "Role not sufficient"
