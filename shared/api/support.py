"""Questions to the operator, and what readers think of the help pages."""

from typing import Annotated

from pydantic import Field

from shared.api.orders import Frozen
from shared.api.text import Id, Line, Paragraphs


class HelpFeedback(Frozen):
    page: Annotated[
        Line, Field(min_length=1, max_length=200, description="such as `/help/managing-active-orders`")
    ]
    helpful: Annotated[bool, Field(strict=True)]
    comment: Annotated[Paragraphs, Field(max_length=2000)] | None = None


class NewSupportRequest(Frozen):
    subject: Annotated[Line, Field(min_length=1, max_length=200)]
    message: Annotated[Paragraphs, Field(min_length=1, max_length=10_000)]
    order_id: Id | None = None


class SupportRequest(Frozen):
    reference: str = Field(description="stands in the subject of every answer")
