"""What the routes of accounts ask for."""

from typing import Annotated

from fastapi import Path

OrganisationId = Annotated[str, Path(max_length=100)]
