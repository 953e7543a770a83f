"""What is saved is of one moment, and what is restored is what was saved."""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
import pytest
from minio.error import S3Error
from pymongo import MongoClient

from deploy.backup import DATABASES, CannotSave, Place, restore, save
from deploy.local import Suite
from deploy.parts import S3, Parts
from tests.fuzz.conftest import Market, market

__all__ = ["market"]


@pytest.fixture
def empty_place(parts: Parts, s3: S3, mongo_db_prefix: str) -> Iterator[Place]:
    place = Place(mongo_url=parts.mongo_url, prefix=mongo_db_prefix, s3=s3, bucket=f"b{uuid4().hex[:10]}")
    yield place
    files = place.files()
    if files.bucket_exists(place.bucket):
        for found in files.list_objects(place.bucket, recursive=True):
            files.remove_object(place.bucket, str(found.object_name))
        files.remove_bucket(place.bucket)


@pytest.fixture
def full_place(suite: Suite, parts: Parts, s3: S3, market: Market) -> Place:
    """The running suite's, with an order that has everything on it."""
    assert market.names["attachment_id"]
    return Place(
        mongo_url=parts.mongo_url,
        prefix=suite._env["MILLRACE_MONGO_DB_PREFIX"],
        s3=s3,
        bucket=suite._env["MILLRACE_S3_BUCKET"],
    )


def documents_of(place: Place) -> dict[str, list[Any]]:
    with MongoClient[dict[str, Any]](place.mongo_url) as client:
        return {
            f"{name}/{collection}": list(client[f"{place.prefix}{name}"][collection].find().sort("_id"))
            for name in DATABASES
            for collection in client[f"{place.prefix}{name}"].list_collection_names()
        }


def objects_of(place: Place) -> dict[str, bytes]:
    files = place.files()
    found = {}
    for one in files.list_objects(place.bucket, recursive=True):
        response = files.get_object(place.bucket, str(one.object_name))
        found[str(one.object_name)] = response.read()
        response.close()
        response.release_conn()
    return found


def saved(place: Place) -> bytes:
    backup = io.BytesIO()
    said: list[str] = []
    try:
        save(place, backup, say=said.append)
    except CannotSave as error:
        # A service may only now make the collection of what it has just heard.
        assert str(error).endswith("then try again")  # noqa: PT017 - it is no failure
        return saved(place)
    assert said[-1].startswith("Saved ")
    return backup.getvalue()


def test_what_is_restored_is_what_was_saved(full_place: Place, empty_place: Place) -> None:
    backup = saved(full_place)

    restore(empty_place, io.BytesIO(backup), say=lambda _: None)

    with (
        tarfile.open(fileobj=io.BytesIO(saved(empty_place))) as again,
        tarfile.open(fileobj=io.BytesIO(backup)) as first,
    ):
        for member in first.getmembers()[1:-1]:
            if member.size:  # of an empty collection nothing is left
                assert _content(first, member.name) == _content(again, member.name), member.name
    restored = documents_of(empty_place)
    assert len(restored["chat/messages"]) > 1
    assert restored["orders/orders"]
    stored = {
        f"{row['order_id']}.{row['_id']}.file"
        for row in restored["chat/attachments"]
        if row["state"] == "stored"
    }
    assert stored <= set(objects_of(empty_place)) != set()


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(name)
    assert found is not None
    return found.read()


def test_a_place_that_holds_something_is_left_alone(full_place: Place, empty_place: Place) -> None:
    backup = saved(full_place)
    before = documents_of(full_place)

    with pytest.raises(CannotSave, match="is not empty"):
        restore(full_place, io.BytesIO(backup), say=lambda _: None)
    other = Place(
        mongo_url=full_place.mongo_url, prefix=empty_place.prefix, s3=full_place.s3, bucket=full_place.bucket
    )
    with pytest.raises(CannotSave, match=r"the bucket \w+ is not empty"):
        restore(other, io.BytesIO(backup), say=lambda _: None)

    assert set(documents_of(full_place)) >= set(before)
    assert documents_of(other) == {}


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_a_backup_that_breaks_off_is_not_taken_for_whole(
    full_place: Place, empty_place: Place, share: float
) -> None:
    backup = saved(full_place)

    with pytest.raises(CannotSave):
        restore(empty_place, io.BytesIO(backup[: int(len(backup) * share)]), say=lambda _: None)


def test_a_changed_backup_and_what_is_none_are_refused(full_place: Place, empty_place: Place) -> None:
    backup = saved(full_place)

    with pytest.raises(CannotSave):
        restore(empty_place, io.BytesIO(b"nonsense" * 1000), say=lambda _: None)
    with pytest.raises(CannotSave):
        restore(empty_place, io.BytesIO(backup.replace(b"The sample", b"The Sample")), say=lambda _: None)


async def test_all_databases_are_saved_as_of_one_moment(parts: Parts, empty_place: Place) -> None:
    """A writer counts up in the first database and then in the last one: the last never is ahead."""
    first, last = f"{empty_place.prefix}{DATABASES[0]}", f"{empty_place.prefix}{DATABASES[-1]}"
    empty_place.files().make_bucket(empty_place.bucket)
    with MongoClient[dict[str, Any]](parts.mongo_url) as client:
        for name in (first, last):
            client[name]["counts"].insert_one({"_id": 1, "count": 0})
            client[name]["ballast"].insert_many([{"text": "x" * 1000} for _ in range(3000)])
        stopped = asyncio.Event()

        def write() -> None:
            while not stopped.is_set():
                for name in (first, last):
                    client[name]["counts"].update_one({"_id": 1}, {"$inc": {"count": 1}})

        writing = asyncio.create_task(asyncio.to_thread(write))
        try:
            for _ in range(5):
                backup = await asyncio.to_thread(saved, empty_place)
                with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
                    ahead = _count(tar, f"databases/{DATABASES[0]}/counts.bson")
                    behind = _count(tar, f"databases/{DATABASES[-1]}/counts.bson")
                assert ahead - behind in {0, 1}
        finally:
            stopped.set()
            await writing


def _count(tar: tarfile.TarFile, name: str) -> int:
    count: int = bson.decode(_content(tar, name))["count"]
    return count


def test_an_unsent_file_that_is_gone_meanwhile_stops_nothing(full_place: Place, empty_place: Place) -> None:
    with MongoClient[dict[str, Any]](full_place.mongo_url) as client:
        rows = client[f"{empty_place.prefix}chat"]["attachments"]
        rows.insert_one({"_id": "a", "order_id": "o", "state": "stored"})
    empty_place.files().make_bucket(empty_place.bucket)
    said: list[str] = []

    save(empty_place, io.BytesIO(), say=said.append)

    assert said[0] == "1 files that the database names are not in the bucket, such as o.a"
    with pytest.raises(S3Error):
        empty_place.files().stat_object(empty_place.bucket, "o.a.file")


def test_the_commands_save_a_suite_at_rest_and_restore_it_into_a_new_home(tmp_path: Path) -> None:
    one, other, file = tmp_path / "one", tmp_path / "other", tmp_path / "backup.tar"

    def millrace(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from deploy.cli import app; app()", *words, "--home", str(home)],
            capture_output=True,
            text=True,
            check=False,
            env=_without_settings(),
        )

    first = millrace("backup", str(file), home=one)
    assert first.returncode == 0, first.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert "exists already" in millrace("backup", str(file), home=one).stderr

    second = millrace("restore", str(file), home=other)

    assert second.returncode == 0, second.stderr
    assert "Restored 0 documents and 0 files" in second.stderr


def _without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
