"""A migration, and an instance that dies in its midst when this file is run."""

import asyncio
import os
import sys
from datetime import timedelta

from shared import migrations, mongo
from shared.mongo import Database


async def count_letters(db: Database) -> None:
    """Add the number of letters to each word that has none yet."""
    await db["taken"].insert_one({"step": "letters"})
    async for row in db["words"].find({"letters": None}):
        await db["words"].update_one({"_id": row["_id"]}, {"$set": {"letters": len(row["word"])}})


async def dies_half_way(db: Database) -> None:
    """Do as `count_letters` does, as far as it comes."""
    await db["taken"].insert_one({"step": "letters"})
    for row in await db["words"].find({}).limit(20).to_list(20):
        await db["words"].update_one({"_id": row["_id"]}, {"$set": {"letters": len(row["word"])}})
    os._exit(9)


async def main(url: str, name: str, lease: str) -> None:
    async with mongo.connect(url=url, name=name, driver="pymongo") as db:
        await migrations.run(db, {"words": (dies_half_way,)}, lease=timedelta(seconds=float(lease)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
