"""Accounts: who registered is there with an organisation, and every service has heard of the newest names."""

from collections import defaultdict

from tests.faults.history import History
from tests.faults.truth import Truth, Verdict


def check(verdict: Verdict, truth: Truth, history: History) -> None:
    organisations = truth.by_id("gateway", "organisations")
    users = truth.by_id("gateway", "users")
    by_email = {user["email"]: user for user in users.values()}
    asked = {call.body["email"]: call for call in history.of("POST", "/auth/register")}
    verdict.that(by_email.keys() <= asked.keys(), "nobody registered some user")
    for email, call in asked.items():
        if call.acknowledged:
            verdict.that(email in by_email, f"an acknowledged account is missing: {call}")
    for user in users.values():
        verdict.that(user["organisation_id"] in organisations, f"user {user['_id']} has an organisation")
    peopled = {user["organisation_id"] for user in users.values()}
    verdict.same(organisations.keys(), peopled, "each organisation has somebody")
    _told_in_order(verdict, truth)
    _names(verdict, truth, history)
    _copies(verdict, truth)


def _told_in_order(verdict: Verdict, truth: Truth) -> None:
    """Each version of each record was published once."""
    for kind, collection in (("organisation", "organisations"), ("member", "users")):
        versions = defaultdict(list)
        for event in truth.distinct(f"{kind}.changed.v1"):
            versions[event["subject"]].append(event["data"]["version"])
        for key, row in truth.by_id("gateway", collection).items():
            expected = list(range(1, row["version"] + 1))
            verdict.same(sorted(versions.pop(key, [])), expected, f"versions of {kind} {key}")
        verdict.same(dict(versions), {}, f"records of {kind}s that there are not")


def _names(verdict: Verdict, truth: Truth, history: History) -> None:
    organisations = truth.by_id("gateway", "organisations")
    renamed = defaultdict(list)
    for call in history.of("PATCH", ""):
        if call.path.startswith("/organisations/"):
            renamed[call.path.removeprefix("/organisations/")].append(call)
    for organisation_id, calls in renamed.items():
        name = organisations[organisation_id]["name"]
        acknowledged = [call for call in calls if call.acknowledged]
        if acknowledged:
            last = max(acknowledged, key=lambda call: call.began)
            # Whatever was asked for at the same time or later may have come last.
            may_be = {
                call.body["name"] for call in calls if (call.ended or 0) >= last.began or call.may_be_a_repeat
            }
            verdict.that(name in may_be, f"{name} is not the last acknowledged name {last.body['name']}")
    for order in truth.of("orders", "orders"):
        for side in ("buyer", "factory"):
            name = organisations[order[f"{side}_id"]]["name"]
            verdict.same(order[f"{side}_name"], name, f"the {side}'s name on order {order['_id']}")
    for review in truth.of("reviews", "reviews"):
        for party in ("organisation", "about"):
            name = organisations[review[party]["id"]]["name"]
            verdict.same(review[party]["name"], name, f"the name of {party} on review {review['_id']}")


def _copies(verdict: Verdict, truth: Truth) -> None:
    organisations, users = truth.by_id("gateway", "organisations"), truth.by_id("gateway", "users")
    for service in ("orders", "reviews"):
        for key, row in truth.by_id(service, "organisations").items():
            versions = (row["version"], row["name"])
            truth_is = (organisations[key]["version"], organisations[key]["name"])
            verdict.same(versions, truth_is, f"what {service} knows of organisation {key}")
    for service in ("orders", "notifications"):
        found = {key: row["version"] for key, row in truth.by_id(service, "members").items()}
        expected = {key: user["version"] for key, user in users.items()}
        verdict.same(found, expected, f"the members that {service} knows")
