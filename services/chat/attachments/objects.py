"""The S3 bucket: bytes stream in and out by signed links; only the bucket itself is made by the client library."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import aiohttp
from minio import Minio
from minio.error import MinioException
from yarl import URL

from shared.errors import NotFound, Unavailable

# Naming it spares the library the question where the bucket is.
_REGION: Final = "us-east-1"
_LINK_LIVES: Final = timedelta(minutes=10)
# Shorter than the life of an upload's row, so that nothing arrives after the sweeper.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=300, sock_connect=5, sock_read=60)
_CHUNK: Final = 512 * 1024
_OK, _PARTIAL, _NOT_FOUND = 200, 206, 404


class ObjectNotFound(NotFound):
    """The bytes are not there, or not yet."""

    title = "No such file"


class StorageUnavailable(Unavailable):
    title = "File storage does not answer"

    def __init__(self, cause: str) -> None:
        super().__init__(f"the storage of files does not answer ({cause}); try again", retry_after=5)


class Objects:
    """Files by their keys; `opened` for as long as the service runs."""

    def __init__(self, *, endpoint: str, access_key: str, secret_key: str, bucket: str) -> None:
        address = urlsplit(endpoint)
        self._client = Minio(
            address.netloc,
            access_key=access_key,
            secret_key=secret_key,
            secure=address.scheme == "https",
            region=_REGION,
        )
        self._bucket = bucket
        self._session: aiohttp.ClientSession

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep connections for as long as the context lasts."""
        await asyncio.to_thread(self._make_bucket)
        # No limit: what bounds transfers is the gateway's limit of uploads, and a waiting download blocks its page.
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=_TIMEOUT, auto_decompress=False, read_bufsize=_CHUNK
        ) as self._session:
            yield

    async def check(self) -> None:
        """Ask whether the server answers and knows us.

        Raises:
            ConnectionError: it does not.
        """
        async with self._session.head(self._link("HEAD", "no-such-file")) as response:
            if response.status not in {_OK, _NOT_FOUND}:
                raise ConnectionError

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, size: int) -> None:
        """Store an object, whole or not at all.

        Raises:
            StorageUnavailable: it may or may not be there, but not without the last of its bytes.
        """
        try:
            async with self._session.put(
                self._link("PUT", key), data=data, headers={"Content-Length": str(size)}
            ) as response:
                if response.status != _OK:
                    raise StorageUnavailable(str(response.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    @asynccontextmanager
    async def get(self, key: str, *, byte_range: str | None) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an object, or a range of it that lies within.

        Raises:
            ObjectNotFound: there is none.
            StorageUnavailable: nobody answers.
        """
        headers = {"Range": byte_range} if byte_range else {}
        try:
            async with self._session.get(self._link("GET", key), headers=headers) as response:
                if response.status == _NOT_FOUND:
                    raise ObjectNotFound("the file is not there")
                # Not every server says 206 where it gives a range.
                if response.status not in {_OK, _PARTIAL}:
                    raise StorageUnavailable(str(response.status))
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def copy(self, key: str, target: BinaryIO) -> None:
        """Write an object's bytes into a file.

        Raises:
            ObjectNotFound: there is none.
            StorageUnavailable: nobody answers.
        """
        async with self.get(key, byte_range=None) as response:
            async for chunk in response.content.iter_chunked(_CHUNK):
                await asyncio.to_thread(target.write, chunk)

    async def delete(self, key: str) -> None:
        """Remove an object, whether it is there or not.

        Raises:
            StorageUnavailable: it may or may not be there.
        """
        try:
            async with self._session.delete(self._link("DELETE", key)) as response:
                if response.status not in {200, 204, _NOT_FOUND}:
                    raise StorageUnavailable(str(response.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    def link(self, key: str) -> str:
        """Write a link by which whoever has it can read an object for some minutes."""
        return str(self._link("GET", key))

    def _link(self, method: str, key: str) -> URL:
        link = self._client.get_presigned_url(method, self._bucket, key, expires=_LINK_LIVES)
        return URL(link, encoded=True)

    def _make_bucket(self) -> None:
        if self._client.bucket_exists(self._bucket):
            return
        try:
            self._client.make_bucket(self._bucket)
        except MinioException:  # servers tell in many ways that another instance was faster
            if not self._client.bucket_exists(self._bucket):
                raise
