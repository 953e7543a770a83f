import asyncio
from collections import Counter
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.reviews import use_cases
from shared.clock import utc_now
from shared.events.chat import MessageBlocked
from shared.events.reviews import ReviewSubmitted
from shared.identity import Caller
from tests.reviews.builders import a_buyer, a_factory, a_submission
from tests.service_client import Answer, Events, Service
from tests.waiting import eventually


async def submit(
    reviews: Service,
    *,
    caller: Caller | None = None,
    headers: dict[str, str] | None = None,
    **submission: Any,
) -> Answer:
    body = a_submission(**submission)
    path = f"/orders/{body['order']['order_id']}/reviews"
    return await reviews.call("POST", path, caller=caller or a_buyer(), json=body, headers=headers)


async def test_a_review_is_shown_to_both_sides_and_told_to_the_others(
    reviews: Service, events: Events
) -> None:
    answer = await submit(reviews, rating=4, text="  Good parts.  ", status="delivered")

    assert answer.status == 201
    assert answer.json["by_side"] == "buyer"
    assert answer.json["text"] == "Good parts."
    for caller in (a_buyer(), a_factory()):
        listed = await reviews.call("GET", "/orders/order-1/reviews", caller=caller)
        assert listed.json["items"] == [answer.json]
    [event] = await eventually(lambda: events.of(ReviewSubmitted))
    assert event["subject"] == "order-1"
    assert event["data"]["review_id"] == answer.json["id"]
    assert (event["data"]["by_side"], event["data"]["rating"]) == ("buyer", 4)


async def test_strangers_see_no_reviews_of_an_order(reviews: Service) -> None:
    await submit(reviews)

    listed = await reviews.call("GET", "/orders/order-1/reviews", caller=a_buyer(organisation_id="buyer-2"))

    assert listed.json["items"] == []


async def test_a_side_reviews_once(reviews: Service) -> None:
    first = await submit(reviews)
    again = await submit(reviews, caller=a_buyer("bob"), rating=1)

    assert again.status == 409
    assert again.json["type"] == "/problems/review-already-submitted"
    assert again.json["review_id"] == first.json["id"]


async def test_of_simultaneous_reviews_of_one_side_one_stands(reviews: Service, events: Events) -> None:
    answers = await asyncio.gather(*(submit(reviews, rating=1 + n % 5) for n in range(10)))

    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    await eventually(lambda: events.of(ReviewSubmitted))
    assert len(events.of(ReviewSubmitted)) == 1


async def test_the_same_call_again_gives_the_first_review_again(reviews: Service) -> None:
    first = await submit(reviews, headers={"Idempotency-Key": "k1"}, status="delivered")
    repeated = await submit(reviews, headers={"Idempotency-Key": "k1"}, status="completed")
    other_body = await submit(reviews, headers={"Idempotency-Key": "k1"}, rating=1)
    other_user = await submit(reviews, headers={"Idempotency-Key": "k1"}, caller=a_buyer("bob"))

    assert (repeated.status, repeated.json) == (201, first.json)
    assert (other_body.status, other_user.status) == (409, 409)


@pytest.mark.parametrize("caller", [a_buyer(), a_factory()])
async def test_a_review_before_its_time_is_refused(reviews: Service, caller: Caller) -> None:
    answer = await submit(reviews, caller=caller, status="shipped")

    assert answer.status == 409
    assert answer.json["type"] == "/problems/review-not-open"
    assert answer.json["current_status"] == "shipped"


async def test_contact_information_is_refused_in_reviews_and_replies(
    reviews: Service, events: Events
) -> None:
    refused = await submit(reviews, text="write to ann@example.com next time")
    listed = await reviews.call("GET", "/orders/order-1/reviews", caller=a_buyer())
    review = (await submit(reviews)).json
    reply = await reviews.call(
        "POST", f"/reviews/{review['id']}/reply", caller=a_factory(), json={"text": "or to fei@example.com"}
    )

    assert refused.status == 422
    assert refused.json["type"] == "/problems/contact-info-blocked"
    assert refused.json["findings"] == [{"kind": "email", "start": 9, "end": 24}]
    assert listed.json["items"] == []
    assert reply.status == 422
    blocked = await eventually(lambda: events.of(MessageBlocked)[1:] and events.of(MessageBlocked))
    assert [event["data"]["where"] for event in blocked] == ["review", "reply"]
    assert [event["data"]["user_id"] for event in blocked] == ["ann", "fei"]
    for event in blocked:
        assert event["subject"] == "order-1"
        assert (event["data"]["buyer_id"], event["data"]["factory_id"]) == ("buyer-1", "factory-1")
        assert event["data"]["kinds"] == ["email"]
        assert "example" not in str(event["data"]), "no copy of the text"
    assert len(events.of(ReviewSubmitted)) == 1


async def test_findings_are_told_in_the_text_as_it_was_typed(reviews: Service) -> None:
    typed = "  Cafe\u0301: ann@example.com"  # its accent is a character of its own

    refused = await submit(reviews, text=typed)

    assert refused.json["findings"] == [{"kind": "email", "start": 9, "end": 24}]
    kept = await submit(reviews, text="  Cafe\u0301  ")
    assert kept.json["text"] == "Caf\u00e9"


@pytest.mark.parametrize("rating", [0, 6, 4.5, "5", None])
async def test_a_rating_is_one_to_five_whole_stars(reviews: Service, rating: object) -> None:
    answer = await submit(reviews, rating=rating)

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/review/rating"


async def test_the_reviewed_side_answers_once(reviews: Service) -> None:
    review = (await submit(reviews)).json
    path = f"/reviews/{review['id']}/reply"

    async def reply(caller: Caller, text: str = "Thank you", **headers: str) -> Answer:
        return await reviews.call("POST", path, caller=caller, json={"text": text}, headers=headers)

    by_stranger = await reply(a_factory(organisation_id="factory-2"))
    by_author = await reply(a_buyer())
    first = await reply(a_factory(), **{"Idempotency-Key": "k"})
    repeated = await reply(a_factory(), **{"Idempotency-Key": "k"})
    second = await reply(a_factory(), "Thank you again")

    assert (by_stranger.status, by_stranger.json["type"]) == (404, "/problems/review-not-found")
    assert (by_author.status, by_author.json["type"]) == (403, "/problems/wrong-side")
    assert first.status == 201
    assert first.json["reply"]["text"] == "Thank you"
    assert first.json["reply"]["by"]["user_id"] == "fei"
    assert (repeated.status, repeated.json) == (201, first.json)
    assert (second.status, second.json["type"]) == (409, "/problems/reply-already-given")


async def test_of_simultaneous_replies_one_stands(reviews: Service) -> None:
    review = (await submit(reviews)).json

    answers = await asyncio.gather(
        *(
            reviews.call(
                "POST", f"/reviews/{review['id']}/reply", caller=a_factory(), json={"text": f"Reply {n}"}
            )
            for n in range(8)
        )
    )

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7


async def test_ratings_are_what_a_recount_of_the_reviews_gives(
    reviews: Service, mongo_url: str, mongo_db_prefix: str
) -> None:
    stars = [1 + n * n % 5 for n in range(30)]

    await asyncio.gather(
        *(
            submit(reviews, order_id=f"order-{n % 30}", rating=stars[n % 30], status="completed")
            for n in range(90)
        )
    )

    answer = await reviews.call("GET", "/organisations/factory-1/reputation?limit=100", caller=a_buyer())
    recounted = Counter(review["rating"] for review in answer.json["reviews"]["items"])
    async with AsyncMongoClient(mongo_url) as client:
        stored = await client[f"{mongo_db_prefix}reviews"]["reviews"].count_documents({})
    rating = answer.json["rating"]
    assert stored == rating["count"] == 30
    assert rating["distribution"] == {str(n): recounted[n] for n in range(1, 6)}
    assert rating["average"] == sum(n * times for n, times in recounted.items()) / 30
    summary = await reviews.call("GET", "/organisations/factory-1/rating", caller=a_buyer())
    assert summary.json == {"average": rating["average"], "count": 30}


async def test_an_organisation_without_reviews_has_no_average(reviews: Service) -> None:
    answer = await reviews.call("GET", "/organisations/nobody/rating", caller=a_buyer())

    assert answer.json == {"average": None, "count": 0}


async def test_reviews_page_newest_first_while_more_arrive(reviews: Service) -> None:
    for n in range(5):
        await submit(reviews, order_id=f"order-{n}")
    path = "/organisations/factory-1/reputation?limit=2"

    first = (await reviews.call("GET", path, caller=a_buyer())).json["reviews"]
    await submit(reviews, order_id="order-late")
    second = (await reviews.call("GET", f"{path}&cursor={first['next_cursor']}", caller=a_buyer())).json
    third = await reviews.call("GET", f"{path}&cursor={second['reviews']['next_cursor']}", caller=a_buyer())

    pages = [first, second["reviews"], third.json["reviews"]]
    assert [item["order_id"] for page in pages for item in page["items"]] == [
        f"order-{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert pages[-1]["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=nonsense", "cursor=WzEsMl0"])
async def test_a_wrong_page_is_refused_with_a_pointer(reviews: Service, query: str) -> None:
    answer = await reviews.call("GET", f"/organisations/factory-1/reputation?{query}", caller=a_buyer())

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == f"/{query.split('=', maxsplit=1)[0]}"


async def test_a_hidden_review_stays_on_record_and_counts_as_hidden(reviews: Service) -> None:
    bad = (await submit(reviews, rating=1, text="Rude words")).json
    await submit(reviews, rating=5, order_id="order-2")

    await use_cases.hide_review(reviews.app.state.db, review_id=bad["id"], reason="insults", now=utc_now())

    answer = (await reviews.call("GET", "/organisations/factory-1/reputation", caller=a_factory())).json
    assert (answer["rating"]["average"], answer["rating"]["count"], answer["rating"]["hidden"]) == (5, 1, 1)
    shown = next(item for item in answer["reviews"]["items"] if item["id"] == bad["id"])
    assert shown["hidden"]["reason"] == "insults"
    assert shown["text"] is None
    again = await submit(reviews, rating=1)
    assert again.status == 409
    record = await reviews.app.state.db["reviews"].find_one({"_id": bad["id"]})
    assert record["text"] == "Rude words"
