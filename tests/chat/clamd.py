"""A real clamd, with no signature but our own: that of the harmless file which every scanner is tested with."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.waiting import eventually

# In two halves, or scanners would take this file for it.
EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def find() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


@asynccontextmanager
async def clamd(home: Path) -> AsyncIterator[str]:
    """Run one for as long as the context lasts; give the path of its socket."""
    program = find()
    assert program
    signatures = home / "signatures"
    signatures.mkdir(parents=True, exist_ok=True)
    (signatures / "own.ndb").write_text(f"Millrace.Eicar:0:*:{EICAR.hex()}\n")
    socket = home / "clamd"
    config = home / "clamd.conf"
    config.write_text(f"Foreground yes\nLocalSocket {socket}\nDatabaseDirectory {signatures}\n")
    process = await asyncio.create_subprocess_exec(
        program, "--config-file", str(config), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(socket.exists, within=60)
        yield str(socket)
    finally:
        process.terminate()
        await process.wait()
        socket.unlink(missing_ok=True)
