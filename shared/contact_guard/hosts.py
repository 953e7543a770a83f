"""What a host name is: a carrier's, a messenger's, a meeting's, somebody's own, or no host at all."""

import functools
import tomllib
from collections.abc import Container
from importlib import resources

from publicsuffixlist import PublicSuffixList

_TABLES = tomllib.loads((resources.files("shared.contact_guard") / "hosts.toml").read_text("utf-8"))

CARRIERS = frozenset(_TABLES["carriers"])
MEETINGS = frozenset(_TABLES["meetings"])
SHORT = frozenset(_TABLES["short"])
FILE_SUFFIXES = frozenset(_TABLES["file_suffixes"])
WORD_SUFFIXES = frozenset(_TABLES["word_suffixes"])
_RESERVED = frozenset(_TABLES["reserved_suffixes"])
_SUFFIXES = PublicSuffixList(accept_unknown=False, only_icann=True)


@functools.lru_cache(maxsize=4096)
def is_suffix(label: str) -> bool:
    """Tell whether a label can end a domain: "com", "example", "рф"."""
    return label in _RESERVED or bool(_SUFFIXES.publicsuffix(label))


@functools.lru_cache(maxsize=4096)
def is_public(host: str) -> bool:
    """Tell whether a name is only a suffix, under which others register: "co.uk"."""
    return host in _RESERVED or bool(_SUFFIXES.is_public(host))


def belongs(host: str, owners: Container[str]) -> str | None:
    """Give the owner that the host is or is a subdomain of."""
    name = host
    while name:
        if name in owners:
            return name
        _, _, name = name.partition(".")
    return None
