"""Has files looked at by clamd, where an operator runs one."""

import asyncio
from typing import BinaryIO, Final, Literal

import structlog
from clamav_client.clamd import ClamdError, ClamdNetworkSocket, ClamdUnixSocket

log = structlog.get_logger(__name__)

_SECONDS: Final = 60

Verdict = Literal["unscanned", "pending", "clean", "infected"]


class Scanner:
    """Asks clamd at `host:port` or at the path of a Unix socket; without an address nothing is scanned."""

    def __init__(self, address: str | None) -> None:
        self.address = address

    async def scan(self, file: BinaryIO) -> Verdict:
        """Tell what clamd says of a file: `pending` if it does not answer, so that it is asked again."""
        if self.address is None:
            return "unscanned"
        try:
            return await asyncio.to_thread(self._ask, file)
        except (ClamdError, OSError) as error:
            log.warning("clamd does not answer", cause=repr(error))
            return "pending"

    def _ask(self, file: BinaryIO) -> Verdict:
        file.seek(0)
        status, what = self._client().instream(file).get("stream", ("ERROR", None))
        if status == "FOUND":
            log.warning("upload is infected", signature=what)
            return "infected"
        return "clean" if status == "OK" else "pending"

    def _client(self) -> ClamdNetworkSocket:
        assert self.address is not None  # noqa: S101 - for the type checker
        if self.address.startswith("/"):
            return ClamdUnixSocket(self.address, timeout=_SECONDS)
        host, _, port = self.address.rpartition(":")
        return ClamdNetworkSocket(host, int(port), timeout=_SECONDS)
