"""The three servers that the suite stands on: MongoDB, RabbitMQ and S3, as processes of this machine.

Each one may instead be somebody else's, named by `MILLRACE_MONGO_URL`, `MILLRACE_AMQP_URL` or
`MILLRACE_S3_ENDPOINT`; then nothing is started for it. What is started listens on 127.0.0.1 only.
"""

import os
import secrets
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from deploy import ports, probes
from deploy.process import OWNER, CannotStart, Program, end_leftovers

# mongod writes its journal ahead of time, 300 MB, and RabbitMQ stops taking messages below 50 MB.
LEAST_FREE_BYTES = 600 * 1024 * 1024
START_SECONDS = 180
PART_PORTS = ("mongod", "rabbitmq", "rabbitmq-nodes", "epmd", "s3")


@dataclass(frozen=True, kw_only=True)
class S3:
    endpoint: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Where MongoDB, RabbitMQ and S3 are found; `programs` are those that are ours to start and stop."""

    mongo_url: str
    amqp_url: str
    s3: S3
    management_url: str | None = None
    programs: tuple[Program, ...] = ()


def plan(*, home: Path, env: Mapping[str, str], at: Mapping[str, int]) -> Parts:
    """Decide which parts to start, with data, logs and secrets below `home`; nothing runs yet.

    `at` gives the ports by their names; one named `management` adds RabbitMQ's HTTP API, which costs
    memory and a second of its start.
    """
    env = {**env, OWNER: str(home)}
    programs = []

    mongo_url = env.get("MILLRACE_MONGO_URL")
    if mongo_url is None:
        mongo_url = f"mongodb://127.0.0.1:{at['mongod']}/?replicaSet={probes.REPLICA_SET}"
        programs.append(_mongod(home, env, port=at["mongod"]))
    elif not probes.mongo_answers(mongo_url):
        raise CannotStart("MILLRACE_MONGO_URL: no MongoDB answers there")

    amqp_url, management_url = env.get("MILLRACE_AMQP_URL"), env.get("MILLRACE_AMQP_MANAGEMENT_URL")
    if amqp_url is None:
        login = f"millrace:{secret(home, 'amqp')}@127.0.0.1"
        amqp_url = f"amqp://{login}:{at['rabbitmq']}/"
        management_url = f"http://{login}:{at['management']}" if "management" in at else None
        programs.append(_rabbitmq(home, env, at))
    elif not probes.amqp_answers(urlsplit(amqp_url).hostname or "localhost", urlsplit(amqp_url).port or 5672):
        raise CannotStart("MILLRACE_AMQP_URL: no RabbitMQ answers there")

    endpoint = env.get("MILLRACE_S3_ENDPOINT")
    if endpoint is None:
        s3 = S3(endpoint=f"http://127.0.0.1:{at['s3']}", access_key="millrace", secret_key=secret(home, "s3"))
        programs.append(_s3(home, env, s3))
    else:
        s3 = _foreign_s3(endpoint, env)
    return Parts(
        mongo_url=mongo_url, amqp_url=amqp_url, s3=s3, management_url=management_url, programs=tuple(programs)
    )


@contextmanager
def running(*, home: Path, env: Mapping[str, str]) -> Iterator[Parts]:
    """Run the parts alone, as tests need them, and end them without care for their data."""
    check_room(home)
    at = ports.choose((*PART_PORTS, "management"), remembered_in=home / "ports.json")
    parts = plan(home=home, env=env, at=at)
    try:
        for program in parts.programs:
            program.start()
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(_wait_until_ready, parts.programs):
                pass
        yield parts
    finally:
        for program in parts.programs:
            program.kill()
        end_leftovers(home)


def secret(home: Path, name: str) -> str:
    """Read a secret of this data folder, made at its first use and readable by its owner only."""
    path = home / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(secrets.token_hex(24))
        new.rename(path)
    return path.read_text()


def _wait_until_ready(program: Program) -> None:
    program.wait_until_ready(within=START_SECONDS, cancelled=Event())


def check_room(home: Path) -> None:
    """Refuse a disk that is too full, before half a start has made it fuller."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"the disk is full: {free // 2**20} MB are free for {home}, {LEAST_FREE_BYTES // 2**20} MB are needed"
        )


def _folder(home: Path, name: str) -> Path:
    path = home / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def _log(home: Path, name: str) -> Path:
    return _folder(home, "logs") / f"{name}.log"


# MongoDB


def _mongod(home: Path, env: Mapping[str, str], *, port: int) -> Program:
    data = _folder(home, "mongod")
    options = {
        "--replSet": probes.REPLICA_SET,
        "--bind_ip": "127.0.0.1",
        "--port": str(port),
        "--dbpath": str(data),
        "--wiredTigerCacheSizeGB": "1",  # otherwise half the memory of the machine, for each suite
        "--oplogSize": "1024",
    }
    return Program(
        name="mongod",
        command=[
            _find_mongod(),
            *(word for option in options.items() for word in option),
            "--nounixsocket",
            # A replica set's member waits 15 s for its clients to move to another one; there is none.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            # Ours last milliseconds. One whose process was killed holds its documents until it runs out.
            *("--setParameter", "transactionLifetimeLimitSeconds=10"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ],
        env=env,
        folder=data,
        log=_log(home, "mongod"),
        is_ready=lambda: probes.mongo_is_primary(
            f"mongodb://127.0.0.1:{port}/?directConnection=true", member=f"127.0.0.1:{port}"
        ),
        grace=30,
    )


def _find_mongod() -> str:
    if on_path := shutil.which("mongod"):
        return on_path
    packaged = Path(sysconfig.get_path("purelib"), "fiftyone", "db", "bin", "mongod")
    if not packaged.exists():
        raise CannotStart("mongod is missing: install MongoDB 6.0 or newer, or set MILLRACE_MONGO_URL")
    if not os.access(packaged, os.X_OK):
        packaged.chmod(0o755)  # the wheel forgets the bit
    return str(packaged)


# RabbitMQ


def _rabbitmq(home: Path, env: Mapping[str, str], at: Mapping[str, int]) -> Program:
    data = _folder(home, "rabbitmq")
    config = data / "rabbitmq.conf"
    config.touch(mode=0o600)
    config.write_text(_rabbitmq_config(home, at))
    plugins = data / "enabled_plugins"
    plugins.write_text("[rabbitmq_management].\n" if "management" in at else "[].\n")
    own = {
        "HOME": str(data),  # for the Erlang cookie: one of its own, whatever the user's says
        "RABBITMQ_NODENAME": "millrace@localhost",
        "RABBITMQ_DIST_PORT": str(at["rabbitmq-nodes"]),
        # A port mapper of its own lets nodes of the same name run side by side, and ends with the suite.
        "ERL_EPMD_PORT": str(at["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(_folder(data, "mnesia")),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(data / "pid"),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(data / "advanced.config"),
        "RABBITMQ_CONF_ENV_FILE": str(data / "rabbitmq-env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        # Its script then becomes the broker instead of waiting for it: signals and the id are the broker's.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    return Program(
        name="rabbitmq",
        command=[_find_rabbitmq()],
        env={name: value for name, value in env.items() if not name.startswith("RABBITMQ_")} | own,
        folder=data,
        log=_log(home, "rabbitmq"),
        is_ready=lambda: probes.amqp_answers("127.0.0.1", at["rabbitmq"]),
        grace=30,
    )


def _rabbitmq_config(home: Path, at: Mapping[str, int]) -> str:
    lines = [
        f"listeners.tcp.1 = 127.0.0.1:{at['rabbitmq']}",
        "default_user = millrace",
        f"default_pass = {secret(home, 'amqp')}",
        "log.console.level = warning",
    ]
    if "management" in at:
        lines += ["management.tcp.ip = 127.0.0.1", f"management.tcp.port = {at['management']}"]
    return "\n".join(lines) + "\n"


def _find_rabbitmq() -> str:
    # Debian keeps it where only root looks, behind a script that insists on another user.
    elsewhere = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"))
    found = shutil.which("rabbitmq-server") or shutil.which("rabbitmq-server", path=elsewhere)
    if found is None:
        raise CannotStart(
            "rabbitmq-server is missing: install it (`apt-get install rabbitmq-server`, `brew install rabbitmq`)"
            " or set MILLRACE_AMQP_URL"
        )
    script = Path(found).resolve()
    if script.name == "rabbitmq-script-wrapper":
        script = script.with_name("rabbitmq-server")
    return str(script)


# S3


def _s3(home: Path, env: Mapping[str, str], s3: S3) -> Program:
    data = _folder(home, "s3")
    address = s3.endpoint.removeprefix("http://")
    if minio := shutil.which("minio"):
        command = [minio, "server", "--quiet", "--address", address, str(data)]
        login = {
            "MINIO_ROOT_USER": s3.access_key,
            "MINIO_ROOT_PASSWORD": s3.secret_key,
            "MINIO_BROWSER": "off",
        }
    else:
        command = [_find_rclone(), "serve", "s3", "--config", "", "--addr", address, str(data)]
        login = {"RCLONE_AUTH_KEY": f'"{s3.access_key},{s3.secret_key}"'}
    return Program(
        name="s3",
        command=command,
        env={**env, **login},
        folder=home,
        log=_log(home, "s3"),
        is_ready=lambda: probes.http_answers(s3.endpoint),
    )


def _find_rclone() -> str:
    beside_python = str(Path(sys.executable).parent)
    found = shutil.which("rclone", path=beside_python) or shutil.which("rclone")
    if found is None:
        raise CannotStart("no S3 server: install minio or rclone, or set MILLRACE_S3_ENDPOINT")
    return found


def _foreign_s3(endpoint: str, env: Mapping[str, str]) -> S3:
    for name in ("MILLRACE_S3_ACCESS_KEY", "MILLRACE_S3_SECRET_KEY"):
        if name not in env:
            raise CannotStart(f"{name} is missing: MILLRACE_S3_ENDPOINT needs it")
    if not probes.http_answers(endpoint):
        raise CannotStart(f"MILLRACE_S3_ENDPOINT: nothing answers at {endpoint}")
    return S3(
        endpoint=endpoint,
        access_key=env["MILLRACE_S3_ACCESS_KEY"],
        secret_key=env["MILLRACE_S3_SECRET_KEY"],
    )
