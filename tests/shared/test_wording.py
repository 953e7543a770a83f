from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared import wording
from shared.api.chat import NewMessage
from shared.api.orders import NewOrder


@pytest.mark.parametrize(
    ("model", "value", "said"),
    [
        (NewMessage, {"text": "x" * 4001}, "Should have at most 4000 characters"),
        (NewMessage, {"attachment_ids": ["a"] * 11}, "Should have at most 10 items"),
        (NewMessage, {"attachment_ids": "a"}, "Input should be a list"),
        (NewMessage, [], "Input should be an object"),
        (NewOrder, {"unit": ""}, "Should have at least 1 character"),
        (NewOrder, {"quantity": "5"}, "Input should be a valid integer"),
        (NewOrder, {"deadline": "soon"}, 'must be a calendar date such as "2026-12-31"'),
    ],
)
def test_what_is_wrong_is_said_without_words_of_python(model: type[BaseModel], value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)

    assert said in [wording.of(error) for error in caught.value.errors()]
