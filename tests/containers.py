"""MongoDB, RabbitMQ and S3 in containers, for the tests, where a Docker engine has their images."""

import gc
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy import probes

MONGO = "mongo:8"
RABBITMQ = "rabbitmq:4-management"
S3 = "quay.io/minio/minio"


@contextmanager
def running(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Answer the `MILLRACE_*` variables that name the containers, without those that `env` sets itself.

    Images are never pulled: local processes are there sooner.
    """
    wanted = (
        ("MILLRACE_MONGO_URL", env.get("MILLRACE_MONGO_IMAGE", MONGO), _mongo),
        ("MILLRACE_AMQP_URL", env.get("MILLRACE_RABBITMQ_IMAGE", RABBITMQ), _rabbitmq),
        ("MILLRACE_S3_ENDPOINT", env.get("MILLRACE_S3_IMAGE", S3), _s3),
    )
    here = _images_here([testcontainers_config.ryuk_image, *(image for _, image, _ in wanted)])
    # Ryuk removes the containers of a session that was killed; it is no reason to pull an image either.
    testcontainers_config.ryuk_disabled = testcontainers_config.ryuk_image not in here
    named: dict[str, str] = {}
    with ExitStack() as stack:
        for variable, image, start in wanted:
            if variable not in env and image in here:
                named |= start(stack, image)
        yield named


def _images_here(wanted: Iterable[str]) -> set[str]:
    with warnings.catch_warnings():
        # The client forgets its socket where no engine answers.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=5)) as client:
                return {image for image in wanted if _has(client, image)}
        except DockerException:
            return set()
        finally:
            gc.collect()


def _has(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def _mongo(stack: ExitStack, image: str) -> dict[str, str]:
    container = (
        DockerContainer(image).with_exposed_ports(27017).with_command("--replSet millrace --bind_ip_all")
    )
    address = _address(stack.enter_context(container), 27017)
    url = f"mongodb://{address}/?directConnection=true"
    _wait_for(lambda: probes.mongo_is_primary(url, member="127.0.0.1:27017"))
    return {"MILLRACE_MONGO_URL": url}


def _rabbitmq(stack: ExitStack, image: str) -> dict[str, str]:
    container = DockerContainer(image).with_exposed_ports(5672, 15672)
    stack.enter_context(container)
    amqp, management = _address(container, 5672), _address(container, 15672)
    host, port = amqp.split(":")
    _wait_for(lambda: probes.amqp_answers(host, int(port)) and probes.http_answers(f"http://{management}"))
    return {
        "MILLRACE_AMQP_URL": f"amqp://guest:guest@{amqp}/",
        "MILLRACE_AMQP_MANAGEMENT_URL": f"http://guest:guest@{management}",
    }


def _s3(stack: ExitStack, image: str) -> dict[str, str]:
    login = {"MINIO_ROOT_USER": "millrace", "MINIO_ROOT_PASSWORD": "millrace-tests"}
    container = (
        DockerContainer(image).with_exposed_ports(9000).with_command("server /data").with_envs(**login)
    )
    endpoint = f"http://{_address(stack.enter_context(container), 9000)}"
    _wait_for(lambda: probes.http_answers(endpoint))
    return {
        "MILLRACE_S3_ENDPOINT": endpoint,
        "MILLRACE_S3_ACCESS_KEY": login["MINIO_ROOT_USER"],
        "MILLRACE_S3_SECRET_KEY": login["MINIO_ROOT_PASSWORD"],
    }


def _address(container: DockerContainer, port: int) -> str:
    return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


def _wait_for(is_ready: Callable[[], bool], *, within: float = 60) -> None:
    give_up_at = time.monotonic() + within
    while not is_ready():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"a container was not ready within {within:.0f} s")
        time.sleep(0.1)
