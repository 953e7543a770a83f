"""Whether MongoDB, RabbitMQ or an HTTP server answers yet."""

import socket
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

REPLICA_SET = "millrace"
# The machine may name a proxy for the world outside; it cannot reach our servers.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def mongo_answers(url: str) -> bool:
    try:
        with _client(url) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def mongo_is_primary(url: str, *, member: str) -> bool:
    """Make mongod the primary of a replica set of its own, as `member`, also where that has changed."""
    address = urlsplit(url)
    if not _listens(address.hostname or "localhost", address.port or 27017):
        return False
    try:
        with _client(url) as client:
            hello = client.admin.command("hello")
            if hello["isWritablePrimary"]:
                return True
            if hello.get("info") == "Does not have a valid replica set config":
                _configure_replica_set(client, member)
    except PyMongoError:
        pass
    return False


def _configure_replica_set(client: MongoClient[Any], member: str) -> None:
    old = client.local.system.replset.find_one()
    if old is None:
        new = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}
        client.admin.command("replSetInitiate", new)
    elif old["members"][0]["host"] != member:
        members = [{**old["members"][0], "host": member}]
        moved = {**old, "version": old["version"] + 1, "members": members}
        client.admin.command("replSetReconfig", moved, force=True)


def _client(url: str) -> MongoClient[Any]:
    return MongoClient(url, serverSelectionTimeoutMS=5000)


def amqp_answers(host: str, port: int) -> bool:
    """Say the protocol's first words; RabbitMQ greets back only once it has finished its start."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def http_answers(url: str) -> bool:
    """Whether an HTTP server is there at all; a refusal is an answer."""
    return _http_status(url) is not None


def http_is_ready(url: str) -> bool:
    return _http_status(url) == HTTPStatus.OK


def _http_status(url: str) -> int | None:
    try:
        with _direct.open(url, timeout=5) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
    except OSError:
        return None


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True
