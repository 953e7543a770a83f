"""Threads, what was read of them, and files."""

from collections import Counter, defaultdict

from tests.faults.history import History
from tests.faults.truth import Document, Truth, Verdict


def check(verdict: Verdict, truth: Truth, history: History) -> None:
    threads = truth.grouped("chat", "messages", "order_id")
    orders = truth.by_id("orders", "orders")
    verdict.same(threads.keys(), orders.keys(), "each order has its thread")
    published = defaultdict(list)
    for event in truth.distinct("message.sent.v1"):
        published[event["subject"]].append(event)
    for order_id, messages in threads.items():
        messages.sort(key=lambda message: message["seq"])
        _numbered(verdict, order_id, messages, published[order_id])
        lines = [message["line"]["status"] for message in messages if message.get("line")]
        steps = [entry["status"] for entry in orders[order_id]["history"]] if order_id in orders else []
        verdict.same(Counter(lines), Counter(dict.fromkeys(steps, 1)), f"system lines of {order_id}")
    _sent(verdict, truth, history)
    _read(verdict, truth, history, threads)
    _sums(verdict, truth, threads)
    _blocked(verdict, truth, history)
    _files(verdict, truth, history)


def _numbered(verdict: Verdict, order_id: str, messages: list[Document], events: list[Document]) -> None:
    """Numbers without gap, counts that are a recount, and each message told once."""
    seqs = [message["seq"] for message in messages]
    verdict.same(seqs, list(range(1, len(messages) + 1)), f"numbers in thread {order_id}")
    count = Counter()
    for message in messages:
        if sender := message.get("sender"):
            count[sender["side"]] += 1
        tail = message["tail"]
        verdict.same(
            (tail["buyer"], tail["factory"]),
            (count["buyer"], count["factory"]),
            f"counts at {message['seq']} in thread {order_id}",
        )
    told = Counter((event["sequence"], event["data"]["message"]["id"]) for event in events)
    there = Counter((message["seq"], message["_id"]) for message in messages)
    verdict.same(told - there, Counter(), f"thread {order_id} was told of what is not there, or twice")
    verdict.same(there - told, Counter(), f"thread {order_id} has what nobody was told of")


def _sent(verdict: Verdict, truth: Truth, history: History) -> None:
    messages = truth.by_id("chat", "messages")
    texts = Counter(message["text"] for message in messages.values() if message.get("sender"))
    calls = {call.body["text"]: call for call in history.of("POST", "/messages")}
    verdict.that(texts.keys() <= calls.keys(), f"nobody wrote {texts.keys() - calls.keys()}")
    attachments = truth.by_id("chat", "attachments")
    for text, call in calls.items():
        verdict.that(texts[text] <= 1, f"a message stands {texts[text]} times: {call}")
        if call.refused:
            verdict.same(texts[text], 0, f"a refused message is there: {call}")
        if call.acknowledged:
            found = messages.get(call.answer["id"])
            verdict.that(
                found
                and found["text"] == text
                and found["seq"] == call.answer["seq"]
                and found["sender"]["user_id"] == call.user_id,
                f"an acknowledged message is missing: {call}",
            )
    for message in messages.values():
        for file in message.get("files", ()):
            row = attachments.get(file["id"], {})
            verdict.same(row.get("message_id"), message["_id"], f"file {file['id']} belongs to its message")
    for row in attachments.values():
        if row["message_id"]:
            files = [file["id"] for file in messages.get(row["message_id"], {}).get("files", ())]
            verdict.that(row["_id"] in files, f"file {row['_id']} belongs to a message that shows it")


def _read(verdict: Verdict, truth: Truth, history: History, threads: dict[str, list[Document]]) -> None:
    reads = truth.by_id("chat", "reads")
    for call in history.of("POST", "/messages/read"):
        order_id = call.path.split("/")[2]
        if call.acknowledged and call.body["up_to"] > 0:
            found = reads.get(f"{order_id}:{call.user_id}", {"up_to": 0})
            up_to = min(call.body["up_to"], found["up_to"] if call.body["up_to"] > found["up_to"] else 10**9)
            verdict.that(found["up_to"] >= min(up_to, 1), f"an acknowledged reading is missing: {call}")
    told = defaultdict(list)
    for event in truth.distinct("message.read.v1"):
        told[f"{event['subject']}:{event['data']['user_id']}"].append(event["sequence"])
    verdict.same(told.keys(), reads.keys(), "whose reading was published")
    seen_by_user: Counter[str] = Counter()
    for key, row in reads.items():
        thread = threads.get(row["order_id"], [])
        others = [m for m in thread if m.get("sender") and m["sender"]["side"] != row["side"]]
        seen = sum(message["seq"] <= row["up_to"] for message in others)
        verdict.same(row["seen"], seen, f"recount of what {key} has read")
        verdict.same(max(told[key], default=0), row["up_to"], f"the last reading of {key} was published")
        verdict.same(len(set(told[key])), len(told[key]), f"each reading of {key} was published once")
        seen_by_user[row["user_id"]] += seen
    kept = {row["_id"]: row["seen"] for row in truth.of("chat", "readers")}
    verdict.same(Counter(kept), seen_by_user, "recount of what each user has read")


def _sums(verdict: Verdict, truth: Truth, threads: dict[str, list[Document]]) -> None:
    received: Counter[str] = Counter()
    for messages in threads.values():
        for message in messages:
            if sender := message.get("sender"):
                received[message["factory_id" if sender["side"] == "buyer" else "buyer_id"]] += 1
    kept = {row["_id"]: row["received"] for row in truth.of("chat", "inboxes")}
    verdict.same(Counter(kept), received, "recount of what each organisation was sent")


def _blocked(verdict: Verdict, truth: Truth, history: History) -> None:
    blocked = truth.distinct("message.blocked.v1")
    verdict.same(len(blocked), len(truth.of("chat", "blocks")), "each refusal was told to moderators")
    refused = [call for call in history.of("POST", "/messages") if call.status == 422]
    verdict.that(len(blocked) >= len(refused), f"{len(refused)} texts were refused, {len(blocked)} were told")


def _files(verdict: Verdict, truth: Truth, history: History) -> None:
    rows = truth.by_id("chat", "attachments")
    expected = {}
    for row in rows.values():
        verdict.same(row["state"], "stored", f"file {row['_id']} is stored or gone")
        verdict.that(row["message_id"] or row.get("expires_at"), f"file {row['_id']} is sent, or will go")
        key = f"{row['order_id']}.{row['_id']}"
        expected[f"{key}.file"] = (row["file"]["size"], row["file"]["sha256"])
        if row["file"]["has_thumbnail"]:
            found = truth.objects.get(f"{key}.thumbnail")
            verdict.that(found and found[0], f"the thumbnail of {row['_id']} is there")
    found = {key: value for key, value in truth.objects.items() if key.endswith(".file")}
    verdict.same(found, expected, "files in S3, with their sizes and checksums")
    thumbnails = {key for key in truth.objects if key.endswith(".thumbnail")}
    verdict.that(
        thumbnails <= {f"{key.removesuffix('file')}thumbnail" for key in expected},
        "no thumbnail is left over",
    )
    stored = Counter(event["data"]["attachment"]["id"] for event in truth.distinct("attachment.stored.v1"))
    verdict.same(dict(stored), dict.fromkeys(rows, 1), "each file was published once")
    for call in history.of("POST", "/attachments"):
        if call.acknowledged:
            row = rows.get(call.answer["id"], {"file": {"sha256": None}})
            verdict.same(row["file"]["sha256"], call.answer["sha256"], f"an acknowledged file: {call}")
