"""Appends by 64 concurrent clients, against the stock library's `save` from 8 threads."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from psycopg.conninfo import conninfo_to_dict

from benchmarks.database import fresh_database
from domain.workspace import Workspace
from tests.support.archive import Ledger, open_ledger

THREADS = 8
CLIENTS = 64
SECONDS = 2.0
ROUNDS = 5
NAME = "x" * 200  # so that an event is of the usual size


class Stock(Application):
    name = "stock"


class Thing(Aggregate):
    class Made(Aggregate.Created):
        name: str

    def __init__(self, name: str) -> None:
        self.name = name


def measure() -> dict[str, Any]:
    """Rounds alternate, so that both meet the same weather. Medians of the rounds."""
    with fresh_database() as (url, _), open_ledger(url, pool_size=8) as ledger:
        stock = open_stock(url)
        rounds: dict[str, list[dict[str, float]]] = {"stock": [], "chatledger": []}
        for _ in range(ROUNDS):
            rounds["stock"].append(run_stock(stock))
            rounds["chatledger"].append(asyncio.run(run_ours(ledger)))
        stock.close()
    result = {
        name: {key: statistics.median(r[key] for r in values) for key in values[0]}
        for name, values in rounds.items()
    }
    return {
        **result,
        "events_per_second_ratio": result["chatledger"]["events_per_second"]
        / result["stock"]["events_per_second"],
        "p99_ratio": result["chatledger"]["p99_ms"] / result["stock"]["p99_ms"],
        "goal": "ratio at least 10, p99 lower",
    }


def open_stock(url: str) -> Stock:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA stock")
    parts = conninfo_to_dict(url)
    return Stock(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts["port"]),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": "none",
            "POSTGRES_SCHEMA": "stock",
            "POSTGRES_POOL_SIZE": str(THREADS),
        }
    )


def run_stock(stock: Stock) -> dict[str, float]:
    deadline = time.perf_counter() + SECONDS

    def client(_: int) -> list[float]:
        latencies = []
        while (started := time.perf_counter()) < deadline:
            stock.save(Thing(NAME))
            latencies.append(time.perf_counter() - started)
        return latencies

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        latencies = [one for many in threads.map(client, range(THREADS)) for one in many]
    return summary(latencies, time.perf_counter() - started)


async def run_ours(ledger: Ledger) -> dict[str, float]:
    deadline = time.perf_counter() + SECONDS
    context = ledger.context()

    async def client() -> list[float]:
        latencies = []
        while (started := time.perf_counter()) < deadline:
            made = Workspace._create(Workspace.Created, id=uuid4(), name=NAME)
            await ledger.archive.record_async(context, made)
            latencies.append(time.perf_counter() - started)
        return latencies

    started = time.perf_counter()
    parts = await asyncio.gather(*[client() for _ in range(CLIENTS)])
    return summary([one for many in parts for one in many], time.perf_counter() - started)


def summary(latencies: list[float], seconds: float) -> dict[str, float]:
    latencies.sort()
    return {
        "events_per_second": len(latencies) / seconds,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
    }
