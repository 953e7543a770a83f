"""People and organisations as clients see them."""

from gateway.accounts import domain
from shared.api import accounts as api


def user(shown: domain.User) -> api.User:
    return api.User(id=shown.id, email=shown.address, display_name=shown.display_name, role=shown.role)


def member(shown: domain.User) -> api.Member:
    return api.Member(**user(shown).model_dump(), joined_at=shown.created_at)


def organisation(organisation: domain.Organisation) -> api.Organisation:
    return api.Organisation(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        country=organisation.country,
        time_zone=organisation.time_zone,
        language=organisation.language,
        address=organisation.address,
        logo_url=organisation.logo_url,
    )
