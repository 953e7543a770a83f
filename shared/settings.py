"""Settings that every application has; an application adds its own in its `main.py`."""

import sys
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import wording


class Settings(BaseSettings):
    """Read from environment variables `MILLRACE_<NAME>`; one without a default must be set."""

    model_config = SettingsConfigDict(env_prefix="MILLRACE_", frozen=True)

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535, description="port to listen on")]
    mongo_url: str = Field(description="MongoDB, a replica set: `mongodb://host:27017/?replicaSet=rs0`")
    mongo_db_prefix: str = Field(default="", description="put before every database name")
    mongo_driver: Literal["motor", "pymongo"] = Field(
        default="motor", description="client library: `motor`, or PyMongo's own async client"
    )
    amqp_url: str = Field(description="RabbitMQ: `amqp://user:password@host:5672/`")
    service_secret: SecretStr = Field(
        min_length=32, description="signs who is asking, from the gateway to the services; the same for all"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )
    otlp_endpoint: str | None = Field(
        default=None, description="OpenTelemetry collector (`http://host:4318`); no traces without it"
    )


SettingsT = TypeVar("SettingsT", bound=Settings)


def load(cls: type[SettingsT]) -> SettingsT:
    """Read the settings, or end the process with one clear line for each that is missing or wrong."""
    try:
        return cls()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = f"MILLRACE_{'_'.join(str(part) for part in problem['loc']).upper()}"
            print(f"{name}: {wording.of(problem)}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
        raise SystemExit(2) from None
