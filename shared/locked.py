"""Short texts that only a person with the suite's secret should read: encrypted, or told apart by a mark alone."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class NotReadable(Exception):  # noqa: N818 - tells of the text
    """It was locked with another secret."""


class Lock:
    """Locks texts for one purpose; what was locked for another, or with another secret, stays locked."""

    def __init__(self, secret: str, *, purpose: str) -> None:
        keys = HKDF(SHA256(), 64, salt=None, info=purpose.encode()).derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(keys[:32]))
        self._mark_key = keys[32:]

    def lock(self, text: str) -> str:
        """Encrypt a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, locked: str) -> str:
        """Read a text again.

        Raises:
            NotReadable: it was locked with another secret.
        """
        try:
            return self._fernet.decrypt(locked).decode()
        except InvalidToken as error:
            raise NotReadable("it was locked with another secret") from error

    def mark(self, *words: str) -> str:
        """Give a mark by which the same words are known again, and from which nobody can guess them."""
        said = b"".join(len(data := word.encode()).to_bytes(4, "big") + data for word in words)
        return hmac.new(self._mark_key, said, hashlib.sha256).hexdigest()
