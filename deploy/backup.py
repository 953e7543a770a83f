"""What a backup is: all databases at one moment, and every file that they name, in one tar.

    millrace-backup.json            what this is, and of when
    databases/<service>/<collection>.bson   documents one behind the other, as `mongodump` writes them
    objects/<key>                   files of chats
    complete.json                   counts of all that; without it the backup is not whole

The databases are read in one snapshot of the replica set, so that nothing in one of them tells of what
another does not have yet. Files never change under their key, so those that the snapshot names are read
behind it. Queues are left out: what was not published yet is in the databases and leaves them again.
"""

import hashlib
import json
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any, Final
from urllib.parse import urlsplit

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from minio import Minio
from minio.datatypes import Object
from minio.error import S3Error
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from deploy.local import SERVICES
from deploy.parts import S3

DATABASES: Final = ("gateway", *SERVICES)
_ABOUT, _COMPLETE = "millrace-backup.json", "complete.json"
_FORMAT: Final = 2
_RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
_BATCH_BYTES: Final = 8 * 1024**2
# More than a file may have, so that each goes in one piece.
_WHOLE: Final = 64 * 1024**2
_SNAPSHOT_GONE: Final = frozenset({239, 246})

Client = MongoClient[Any]


class CannotSave(Exception):  # noqa: N818 - the fact is its name
    """One line that says why there is no backup, or why it was not restored."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a suite keeps its data."""

    mongo_url: str
    prefix: str
    s3: S3
    bucket: str

    def mongo(self) -> Client:
        return MongoClient(self.mongo_url, serverSelectionTimeoutMS=5000, document_class=RawBSONDocument)

    def files(self) -> Minio:
        address = urlsplit(self.s3.endpoint)
        return Minio(
            address.netloc,
            access_key=self.s3.access_key,
            secret_key=self.s3.secret_key,
            secure=address.scheme == "https",
            region="us-east-1",
        )


def save(place: Place, to: IO[bytes], *, say: Callable[[str], None]) -> None:
    """Write a backup while the suite runs or while it rests.

    Raises:
        CannotSave: with one line that says why; what was written is of no use.
    """
    counts: Counter[str] = Counter()
    digests: dict[str, str] = {}
    # A tar that is only ever written forwards can go through a pipe.
    with tarfile.open(fileobj=to, mode="w|", format=tarfile.PAX_FORMAT) as tar, place.mongo() as client:
        about = {"format": _FORMAT, "taken_at": datetime.now(UTC).isoformat(timespec="seconds")}
        _add_json(tar, _ABOUT, about)
        with client.start_session(snapshot=True) as session, _of_one_moment():
            stored = _stored_files(client, place, session)
            for name, database, collection in _collections(client, place):
                with tempfile.TemporaryFile() as spool:
                    batches = client[database][collection].find_raw_batches({}, session=session)
                    member = f"databases/{name}/{collection}.bson"
                    digest = hashlib.sha256()
                    for batch in batches:
                        spool.write(batch)
                        digest.update(batch)
                        counts[member] += _documents_in(batch)
                    digests[member] = digest.hexdigest()
                    counts.setdefault(member, 0)
                    _add(tar, member, spool)
        files = place.files()
        for found in _objects(files, place):
            key = found.object_name or ""
            stem = key.rpartition(".")[0]
            if stem in stored and _add_object(tar, f"objects/{key}", files=files, place=place, key=key):
                counts[f"objects/{key}"] = 1
                stored[stem] = True
        if lost := [stem for stem, is_here in stored.items() if not is_here]:
            say(f"{len(lost)} files that the database names are not in the bucket, such as {lost[0]}")
        _add_json(tar, _COMPLETE, {"counts": counts, "digests": digests})
    documents = sum(count for member, count in counts.items() if member.startswith("databases/"))
    say(f"Saved {documents} documents and {len(counts) - len(digests)} files")


def restore(place: Place, source: IO[bytes], *, say: Callable[[str], None]) -> None:
    """Read a backup into databases and a bucket that hold nothing yet.

    Raises:
        CannotSave: with one line that says why.
    """
    with place.mongo() as client:
        files = place.files()
        _must_be_empty(client, files, place)
        counts: Counter[str] = Counter()
        digests: dict[str, str] = {}
        complete: dict[str, Any] | None = None
        try:
            with tarfile.open(fileobj=source, mode="r|") as tar:
                for index, member in enumerate(tar):
                    content = tar.extractfile(member)
                    if content is None:
                        continue
                    if index == 0:
                        _must_be_ours(member.name, content)
                    elif member.name == _COMPLETE:
                        complete = json.load(content)
                    elif member.name.startswith("databases/"):
                        counts[member.name], digests[member.name] = _insert(
                            client, place, member.name, content
                        )
                    elif member.name.startswith("objects/"):
                        key = member.name.removeprefix("objects/")
                        files.put_object(place.bucket, key, content, member.size, part_size=_WHOLE)  # type: ignore[arg-type]
                        counts[member.name] = 1
        except (tarfile.TarError, EOFError, bson.errors.BSONError) as error:
            raise CannotSave(
                f"this is no whole backup of Millrace ({error}); empty the place again"
            ) from error
    if complete != {"counts": counts, "digests": digests}:
        raise CannotSave("the backup breaks off or was changed; empty the place again, and take another one")
    documents = sum(count for member, count in counts.items() if member.startswith("databases/"))
    say(f"Restored {documents} documents and {len(counts) - len(digests)} files")


@contextmanager
def _of_one_moment() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code not in _SNAPSHOT_GONE:
            raise
        raise CannotSave(
            "the databases took longer to read than MongoDB remembers their past, 5 minutes unless its parameter "
            "minSnapshotHistoryWindowInSeconds says more; or a collection was made meanwhile: then try again"
        ) from error


def _collections(client: Client, place: Place) -> Iterator[tuple[str, str, str]]:
    for name in DATABASES:
        database = f"{place.prefix}{name}"
        for collection in sorted(client[database].list_collection_names(filter={"type": "collection"})):
            yield name, database, collection


def _stored_files(client: Client, place: Place, session: ClientSession) -> dict[str, bool]:
    """Name the objects of all stored files, up to the last dot, with whether they were seen in the bucket."""
    rows = client[f"{place.prefix}chat"]["attachments"].find(
        {"state": "stored"}, {"order_id": 1}, session=session
    )
    return {f"{row['order_id']}.{row['_id']}": False for row in rows}


def _objects(files: Minio, place: Place) -> Iterator[Object]:
    # Chat makes the bucket at its first start.
    if files.bucket_exists(place.bucket):
        yield from files.list_objects(place.bucket, recursive=True)


def _documents_in(batch: bytes) -> int:
    count = position = 0
    while position < len(batch):
        position += int.from_bytes(batch[position : position + 4], "little")
        count += 1
    return count


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size = content.seek(0, 2)
    member.mode = 0o600
    content.seek(0)
    tar.addfile(member, content)


def _add_json(tar: tarfile.TarFile, name: str, value: Any) -> None:
    _add(tar, name, BytesIO(json.dumps(value, indent=1).encode()))


def _add_object(tar: tarfile.TarFile, name: str, *, files: Minio, place: Place, key: str) -> bool:
    try:
        response = files.get_object(place.bucket, key)
    except S3Error as error:
        if error.code != "NoSuchKey":  # a file that was never sent may go at any time
            raise
        return False
    try:
        member = tarfile.TarInfo(name)
        member.size = int(response.headers["Content-Length"])
        member.mode = 0o600
        tar.addfile(member, response)
    finally:
        response.close()
        response.release_conn()
    return True


def _must_be_ours(name: str, content: IO[bytes]) -> None:
    if name != _ABOUT:
        raise CannotSave("this is no backup of Millrace")
    if json.load(content)["format"] != _FORMAT:
        raise CannotSave("another version of Millrace wrote this backup; restore it with that one")


def _must_be_empty(client: Client, files: Minio, place: Place) -> None:
    for _, database, collection in _collections(client, place):
        if client[database][collection].find_one({}, {"_id": 1}) is not None:
            raise CannotSave(f"the database {database} is not empty, and a restore goes into an empty place")
    try:
        if not files.bucket_exists(place.bucket):
            files.make_bucket(place.bucket)
        if next(_objects(files, place), None) is not None:
            raise CannotSave(
                f"the bucket {place.bucket} is not empty, and a restore goes into an empty place"
            )
    except S3Error as error:
        raise CannotSave(f"the S3 server refuses: {error.code}") from error


def _insert(client: Client, place: Place, member: str, content: IO[bytes]) -> tuple[int, str]:
    _, name, file = member.split("/")
    if name not in DATABASES:
        raise CannotSave(f"the backup holds a database {name}, which nobody here knows")
    target = client[f"{place.prefix}{name}"][file.removesuffix(".bson")]
    count = size = 0
    digest = hashlib.sha256()
    batch: list[RawBSONDocument] = []
    for document in bson.decode_file_iter(content, codec_options=_RAW):
        batch.append(document)
        digest.update(document.raw)
        count += 1
        size += len(document.raw)
        if size > _BATCH_BYTES:
            target.insert_many(batch, ordered=False)
            batch, size = [], 0
    if batch:
        target.insert_many(batch, ordered=False)
    return count, digest.hexdigest()
