"""What is locked opens with the same secret and purpose alone."""

import base64

import pytest

from shared.locked import Lock, NotReadable

SECRET = "a secret of thirty-two characters or more"


def test_opens_what_it_locked() -> None:
    lock = Lock(SECRET, purpose="appeals")

    locked = lock.lock("电话 +1 202 555 0143")

    assert b"202 555 0143" not in base64.urlsafe_b64decode(locked)
    assert lock.open(locked) == "电话 +1 202 555 0143"


@pytest.mark.parametrize("other", [Lock(SECRET + "x", purpose="appeals"), Lock(SECRET, purpose="letters")])
def test_no_other_lock_opens_it_or_makes_its_marks(other: Lock) -> None:
    lock = Lock(SECRET, purpose="appeals")

    with pytest.raises(NotReadable):
        other.open(lock.lock("text"))
    assert other.mark("text") != lock.mark("text")


def test_marks_tell_words_apart_but_not_their_places() -> None:
    lock = Lock(SECRET, purpose="appeals")

    assert lock.mark("order", "text") == lock.mark("order", "text")
    assert lock.mark("order", "text") != lock.mark("ordert", "ext")
