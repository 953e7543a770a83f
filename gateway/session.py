"""From a bearer token or the session cookie to the caller whom the services are told of."""

from typing import Annotated, Final

from fastapi import Cookie, Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from gateway.accounts import store, use_cases
from gateway.accounts.domain import Session
from gateway.accounts.oidc import Provider
from shared.errors import Forbidden, Unauthenticated
from shared.http import Db, Now
from shared.identity import Caller

COOKIE: Final = "millrace_session"
CSRF_HEADER: Final = "X-Requested-With"
CSRF_VALUE: Final = "millrace"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, description="the `access_token` of `POST /auth/login`")


class CsrfHeaderMissing(Forbidden):
    """A write that is signed in by cookie needs a header that other sites cannot send."""

    title = "CSRF header missing"


async def _current_session(
    request: Request,
    db: Db,
    now: Now,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)] = None,
) -> Session:
    token = bearer.credentials if bearer else cookie
    if not token:
        raise Unauthenticated("sign in first: send `Authorization: Bearer <token>` or the session cookie")
    session = await store.find_session(db, token, now=now)
    provider: Provider | None = request.app.state.oidc
    if session is None and provider and bearer and token.count(".") == 2:  # noqa: PLR2004 - it may be a JWT
        claims = await provider.read(token)
        session = await use_cases.sign_in_by_claims(db, token, claims=claims, now=now)
    if session is None:
        raise Unauthenticated("this session is over or never was; sign in again")
    if bearer is None and request.method not in _SAFE and request.headers.get(CSRF_HEADER) != CSRF_VALUE:
        raise CsrfHeaderMissing(f"send the header `{CSRF_HEADER}: {CSRF_VALUE}` with writes")
    return session


CurrentSession = Annotated[Session, Depends(_current_session)]


async def _current_caller(session: CurrentSession) -> Caller:
    return session.caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]


async def _writer(session: CurrentSession) -> Caller:
    session.caller.must_write()
    return session.caller


Writer = Annotated[Caller, Depends(_writer)]
"""A caller whose role allows writes."""
