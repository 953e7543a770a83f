"""The recent events in memory."""

import json

import pytest

from gateway.live.audience import Party
from gateway.live.recent import Entry, Recent, entry, frame
from tests.gateway.live.builders import an_event

BUYER = [Party("organisation", "buyer")]
FACTORY = [Party("organisation", "factory")]


def an_entry(offset: int, **data: str) -> Entry:
    event = an_event(**data)
    return entry(offset=offset, event=event, body=json.dumps(event).encode())


def recent(*, keep: float = 600, most_bytes: int = 10**6) -> Recent:
    return Recent(keep=keep, most_bytes=most_bytes)


def test_what_came_after_an_offset_is_listed_in_order_for_those_whom_it_concerns() -> None:
    log = recent()
    ours, theirs, ours_too = an_entry(3), an_entry(4, buyer_id="stranger"), an_entry(9)
    for each in (an_entry(1), ours, theirs, ours_too):
        log.add(each, now=0)

    assert log.after(1, concerning=BUYER) == [ours, ours_too]
    assert log.after(1, concerning=[*BUYER, *FACTORY]) == [ours, theirs, ours_too]
    assert log.after(9, concerning=BUYER) == []


def test_an_event_published_twice_stands_there_once() -> None:
    log = recent()
    first = an_entry(1)
    again = Entry(2, first.event_id, first.audience, first.frame)

    assert log.add(first, now=0)
    assert not log.add(again, now=0)
    assert log.last is first
    assert log.after(0, concerning=BUYER) == [first]


def test_a_cursor_finds_its_entry_and_no_other() -> None:
    log = recent()
    first, second = an_entry(1), an_entry(2)
    log.add(first, now=0)
    log.add(second, now=0)

    assert log.find(second.cursor) is second
    assert log.find(f"1-{second.cursor.partition('-')[2]}") is None


@pytest.mark.parametrize(
    "cursor", ["", "-", "1", "1-", "one-12345678", "-1-12345678", "١-12345678", "9" * 5000, "1-1234567g\n"]
)
def test_what_is_no_cursor_finds_nothing(cursor: str) -> None:
    log = recent()
    log.add(an_entry(1), now=0)

    assert log.find(cursor) is None
    assert not log.is_behind(cursor)


def test_a_cursor_beyond_the_last_entry_may_be_another_instances() -> None:
    log = recent()
    log.add(an_entry(1), now=0)

    assert log.is_behind(an_entry(2).cursor)
    assert not log.is_behind(an_entry(1).cursor)


def test_old_entries_are_forgotten_but_never_the_last() -> None:
    log = recent(keep=10)
    first, second = an_entry(1), an_entry(2)
    log.add(first, now=0)
    log.add(second, now=5)

    assert log.forget(now=11) == [first]
    assert log.find(first.cursor) is None
    assert log.forget(now=1000) == []
    assert log.last is second
    assert log.after(0, concerning=BUYER) == [second]


def test_memory_is_bounded() -> None:
    one = len(an_entry(1).frame)
    log = recent(most_bytes=one * 10 + one // 2)

    for offset in range(100):
        log.add(an_entry(offset), now=0)
        log.forget(now=0)

    assert [each.offset for each in log.after(-1, concerning=BUYER)] == list(range(90, 100))


def test_a_forgotten_event_that_comes_once_more_counts_as_new() -> None:
    log = recent(keep=10)
    first = an_entry(1)
    log.add(first, now=0)
    log.add(an_entry(2), now=20)
    log.forget(now=20)

    assert log.add(Entry(3, first.event_id, first.audience, first.frame), now=20)


def test_a_body_of_many_lines_is_sent_as_many_lines_of_data() -> None:
    assert frame("a.b.v1", data=b'{\r\n"a":\n1\r}', cursor="1-00000000") == (
        b'event: a.b.v1\nid: 1-00000000\ndata: {\ndata: "a":\ndata: 1\ndata: }\n\n'
    )
