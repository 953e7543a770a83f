"""Check answers against an OpenAPI document: the status is declared, and the body fits its schema."""

import re
from typing import Any

from jsonschema import Draft202012Validator


class Checker:
    """Holds a gateway's document; raises AssertionError for an answer that it does not promise."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path.removeprefix("/api/v1")) + "$"), operations)
            for path, operations in sorted(document["paths"].items(), key=lambda item: item[0].count("{"))
        ]
        self.checked = 0

    def check(self, method: str, path: str, status: int, content_type: str, body: Any) -> None:
        operation = next(
            (
                operations[method.lower()]
                for pattern, operations in self._paths
                if pattern.match(path) and method.lower() in operations
            ),
            None,
        )
        assert operation is not None, f"{method} {path} is not in the OpenAPI document"
        declared = operation["responses"].get(str(status))
        assert declared is not None, f"{method} {path} answered {status}, which is not declared: {body}"
        kind = content_type.split(";", maxsplit=1)[0]
        schema = declared.get("content", {}).get(kind, {}).get("schema")
        if schema is not None and kind.endswith("json"):
            whole = {"components": self.document["components"], **schema}
            validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
            error = next(validator.iter_errors(body), None)
            assert error is None, f"{method} {path} {status}: {error}"
        self.checked += 1
