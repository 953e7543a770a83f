"""The link in every mail that ends mails of its kind.

The one call without a caller: the link itself proves who it was sent to. Looking changes nothing,
as programs that scan mails look too; a mail program's one click, or the page's button, is a POST.
"""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.notifications.domain import unsubscribing
from services.notifications.store import people
from services.notifications.use_cases import mail as use_cases
from shared.http import Db

router = APIRouter()

Token = Annotated[str, Query(max_length=2000)]


@router.get("/notifications/unsubscribe", response_class=HTMLResponse)
async def show_unsubscribing(token: Token, request: Request, db: Db) -> str:
    user_id, _ = unsubscribing.read(token, secret=request.app.state.link_secret)
    wanted = await people.preferences_of_user(db, user_id)
    if wanted.language == "zh":
        return _page("不再接收此类邮件？", button="不再接收", lang="zh-CN")
    return _page("No more mails of this kind?", button="No more mails", lang="en")


@router.post("/notifications/unsubscribe", response_class=HTMLResponse)
async def unsubscribe(token: Token, request: Request, db: Db) -> str:
    language = await use_cases.unsubscribe(db, token=token, secret=request.app.state.link_secret)
    if language == "zh":
        return _page("您将不再收到此类邮件。", lang="zh-CN")
    return _page("You will get no more mails of this kind.", lang="en")


def _page(text: str, *, lang: str, button: str | None = None) -> str:
    form = f'<form method="post"><button>{escape(button)}</button></form>' if button else ""
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Millrace</title>
<style>
:root {{ color-scheme: light dark; font: 18px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }}
body {{ max-width: 30em; margin: 15vh auto; padding: 0 1em; text-align: center; }}
button {{ font: inherit; padding: 0.5em 1em; }}
</style>
</head>
<body>
<p>{escape(text)}</p>
{form}
</body>
</html>
"""
