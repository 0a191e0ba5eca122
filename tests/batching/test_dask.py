"""Batches on a Dask cluster of two processes: what is sent, paid, known, and lost with a worker."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cbai_notebook as cbai
from cbai_notebook import bridge
from cbai_notebook.batching.dask_engine import DaskEngine
from cbai_notebook.batching.first_rows import first_rows
from cbai_notebook.batching.job import Batch, BatchOptions
from cbai_notebook.client.budget import SESSION
from cbai_notebook.errors import ConfigurationError, SecretRefusedError, UsageError
from tests.batching.batches import (
    PROMPT,
    answered,
    batches_of,
    last,
    paid_twice,
    rows,
    run,
    stopped,
)
from tests.gateway import Gateway, RowFault, Scenario, parse, serve
from tests.gateway.tools import Call, calling

pytest.importorskip("distributed")

from distributed import Client, LocalCluster

KEY = "sk-cluster-0123456789abcdef"
AT_ONCE = 8
SHARE = AT_ONCE // 2
QUICK = "echo+pause:headers:0.02"


class WatchedClient(Client):
    """A client that notes what it sends to workers.

    Attributes:
        sent: The arguments of all tasks and of all functions that were run, pickled.
        versions: The versions that a worker seems to have, in place of its own.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.sent: list[bytes] = []
        self.versions: Mapping[str, str | None] = {}
        super().__init__(*args, **options)

    def submit(self, function: Any, *args: Any, **options: Any) -> Any:
        self.sent.append(pickle.dumps(args))
        return super().submit(function, *args, **options)

    def run(self, function: Any, *args: Any, **options: Any) -> Any:
        self.sent.append(pickle.dumps(args))
        return super().run(function, *args, **options)

    def get_versions(self, *args: Any, **options: Any) -> Any:
        found = super().get_versions(*args, **options)
        max(found["workers"].items())[1]["packages"].update(self.versions)
        return found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The base URL of the gateway of each test; nothing listens there in between."""
    with serve() as gateway:
        found = gateway.base_url
    yield found


@pytest.fixture(scope="module")
def cluster(address: str) -> Iterator[LocalCluster]:
    """Two workers in processes of their own, which have the address and the key."""
    variables = {"CBAI_BASE_URL": address, "CBAI_API_KEY": KEY}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", env=variables
    ) as made:
        yield made


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[WatchedClient]:
    """A new client of the cluster, when both workers are there."""
    with WatchedClient(cluster) as made:
        made.wait_for_workers(2)
        yield made


@pytest.fixture
def gateway(address: str, tmp_path: Path) -> Iterator[Gateway]:
    """The gateway of a test, which this process and the workers ask."""
    with serve(port=int(address.split(":")[2].split("/")[0])) as running:
        running.always("echo")
        with batches_of(running, tmp_path / "history.sqlite", KEY):
            yield running


def scenario(spec: str) -> Scenario:
    found = parse(spec)
    assert found is not None
    return found


def first_worker(client: Client) -> int:
    """Return the process of the worker that gets the first part."""
    pids = client.run(os.getpid)
    return int(pids[min(pids)])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


class At:
    """Does something, once, when a batch has so many answers; a reporter of its progress."""

    def __init__(self, answered: int, work: Callable[[], None]) -> None:
        self._answered = answered
        self._work: Callable[[], None] | None = work

    def show(self, progress: Any) -> None:
        if self._work is not None and progress.answered >= self._answered:
            work, self._work = self._work, None
            work()

    def end(self, progress: Any) -> None:
        assert self._work is None


# What a batch does --------------------------------------------------------------------------------


def test_the_workers_ask_and_this_process_knows_the_answers(
    gateway: Gateway, client: WatchedClient
) -> None:
    gateway.always(QUICK)
    data = pd.DataFrame(rows(300))
    found = run(data, engine=client, concurrency=AT_ONCE, details=True)
    assert list(found["answer"]) == [f"Rate row-{number}" for number in range(300)]
    assert found["error"].isna().all()
    assert gateway.begun == {f"row-{number}": 1 for number in range(300)}
    assert gateway.tally.running_peak <= AT_ONCE
    connections = {each.connection for each in gateway.requests}
    assert len(connections) <= 2 * SHARE
    before = SESSION.tokens
    again = run(data.iloc[::-1], engine=client, details=True)
    assert list(again["answer"]) == [f"Rate row-{number}" for number in reversed(range(300))]
    assert list(run(data)["answer"]) == list(found["answer"]), "without the cluster too"
    assert gateway.begun.total() == 300
    assert SESSION.tokens == before


async def test_a_batch_is_awaited_and_its_rows_come_one_by_one(
    gateway: Gateway, client: WatchedClient
) -> None:
    model = cbai.create_model()
    found = await model.batch(rows(40), PROMPT, engine=client, progress=False)
    assert answered(found) == set(range(40))
    seen = {row["row"] async for row in model.batch_rows(rows(40, first=40), PROMPT, engine=client)}
    assert seen == set(range(40))


def test_what_a_batch_has_used_is_counted_here(gateway: Gateway, client: WatchedClient) -> None:
    before = SESSION.tokens
    run(rows(20), engine=client)
    assert last().progress.tokens == SESSION.tokens - before > 0
    each = last().progress.tokens // 20
    found, reason = stopped(
        rows(200), engine=client, max_tokens=each, max_total_tokens=40 * each, concurrency=AT_ONCE
    )
    assert 10 <= len(answered(found)) <= 40
    assert last().progress.tokens <= 40 * each
    assert f"{40 * each:,}" in reason
    found = run(rows(200), engine=client, max_tokens=each, max_total_tokens=10_000)
    assert answered(found) == set(range(200))
    assert gateway.begun.total() == 220, "the first twenty rows had no max_tokens"


def test_rows_that_fail_say_why(gateway: Gateway, client: WatchedClient) -> None:
    gateway.always("echo+every:6:finish:content_filter")
    found = run(rows(24), engine=client, concurrency=AT_ONCE)
    assert answered(found) == set(range(24)) - {0, 6, 12, 18}
    assert found[0]["answer"] == "Rate row-0"
    assert "filter" in found[0]["error"]
    gateway.always("echo")
    before = len(gateway.requests)
    assert answered(run(rows(24), engine=client)) == set(range(24))
    assert len(gateway.requests) - before == 4


CELL = """
from dataclasses import dataclass, field
from typing import TypedDict
import msgspec, pydantic
import cbai_notebook as cbai

@dataclass
class Verdict:
    stars: int
    words: list[str] = field(default_factory=list)

class Rating(TypedDict):
    stars: int

class Score(pydantic.BaseModel):
    stars: int

class Stars(msgspec.Struct):
    stars: int

offset = 3

@cbai.tool
def stars_of(text: str) -> int:
    \"\"\"Count the stars.\"\"\"
    return len(text) - offset
"""


def test_tools_and_types_of_the_notebook_go_along(gateway: Gateway, client: WatchedClient) -> None:
    notebook: dict[str, Any] = {"__name__": "__main__"}
    exec(CELL, notebook)
    gateway.always(Scenario(text='{"stars": 4}'))
    for kind in ("Verdict", "Rating", "Score"):
        found = run(rows(4), f"{kind} {{text}}", response_type=notebook[kind], engine=client)
        assert [row["stars"] for row in found] == [4] * 4
    with pytest.raises(UsageError, match="Stars is a msgspec Struct"):
        run(rows(4), response_type=notebook["Stars"], engine=client)
    gateway.always("echo")
    gateway.script(calling(Call("stars_of", '{"text": "12345"}')), "say:2 stars")
    (row,) = run(rows(1), tools=[notebook["stars_of"]], engine=client)
    assert row["answer"] == "2 stars"
    assert gateway.requests[-1].json["messages"][-1]["content"] == "2"


def test_a_dask_frame_stays_one_with_the_same_partitions(
    gateway: Gateway, client: WatchedClient
) -> None:
    frames = pytest.importorskip("dask.dataframe")
    data = pd.DataFrame(rows(50), index=pd.Index(range(100, 150), name="id"))
    data.loc[120, "text"] = None
    given = frames.from_pandas(data, npartitions=3)
    found = run(given, engine=client)
    assert (found.npartitions, found.divisions) == (3, given.divisions)
    assert list(found.columns) == ["text", "answer", "error"]
    computed = found.compute()
    assert computed.index.equals(data.index)
    expected = [None if pd.isna(row) else f"Rate {row}" for row in data["text"]]
    assert [None if pd.isna(each) else each for each in computed["answer"]] == expected
    assert computed["error"].notna().sum() == 1
    assert computed.dtypes.equals(found.dtypes)
    assert gateway.begun.total() == 49
    assert list(first_rows(given, 30)["text"].compute().dropna()) == list(
        data["text"][:30].dropna()
    )
    # The rows of a cluster need no cluster that asks.
    assert run(given).compute().equals(computed)
    assert gateway.begun.total() == 49


def test_a_dask_frame_whose_batch_stops_says_so_in_each_row(
    gateway: Gateway, client: WatchedClient
) -> None:
    frames = pytest.importorskip("dask.dataframe")
    given = frames.from_pandas(pd.DataFrame(rows(2000)), npartitions=20)
    gateway.always(f"{QUICK}+after:9:error:ACCESS_TOKEN_EXPIRED")
    found, _ = stopped(given, engine=client, concurrency=2)
    computed = found.compute()
    assert computed["answer"].notna().sum() == 9
    assert computed["error"].notna().sum() == 1991
    # Most partitions were not even read.
    assert computed["error"].iloc[-1] == "The batch ended before this row was sent."
    with pytest.raises(UsageError, match=r"to_parquet"):
        run(given, engine=client, to="out.parquet")


# What is lost with a worker -----------------------------------------------------------------------

kills = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


@kills
def test_a_worker_that_is_killed_before_its_replies_costs_what_it_had_in_flight(
    gateway: Gateway, client: WatchedClient
) -> None:
    gateway.always("echo+hold:headers")
    victim = first_worker(client)
    batch = Batch(
        rows(100), PROMPT, BatchOptions(progress=False, engine=client, concurrency=AT_ONCE)
    )
    running = bridge.submit(batch.run())
    gateway.wait_until(lambda: gateway.tally.running == AT_ONCE)
    kill(victim)
    gateway.wait_until(lambda: gateway.tally.running == SHARE)
    gateway.always("echo")
    gateway.let_go()
    running.result()
    assert answered(batch.frame) == set(range(100))
    assert set(gateway.begun) == {f"row-{number}" for number in range(100)}
    assert paid_twice(gateway) == SHARE


@kills
def test_a_worker_that_is_killed_between_its_replies_costs_no_more_than_its_share(
    gateway: Gateway, client: WatchedClient, record_property: Callable[[str, object], None]
) -> None:
    gateway.always("echo+pause:headers:0.05")
    victim = first_worker(client)
    at = At(30, lambda: kill(victim))
    found = run(rows(200), engine=client, concurrency=AT_ONCE, progress=at)
    assert answered(found) == set(range(200))
    record_property("paid_twice", paid_twice(gateway))
    assert paid_twice(gateway) <= SHARE
    assert last().progress.known == 0


@kills
def test_replies_that_have_arrived_are_not_lost_with_their_worker(
    gateway: Gateway, client: WatchedClient
) -> None:
    # One part, whose last row waits; the others are stored already.
    gateway.always(scenario("echo").but(rows=(RowFault(1000, scenario("echo+hold:headers"), 9),)))
    victim = first_worker(client)

    def end() -> None:
        gateway.always("echo")
        kill(victim)

    found = run(rows(10), engine=client, concurrency=AT_ONCE, progress=At(9, end))
    assert answered(found) == set(range(10))
    assert gateway.begun == {f"row-{number}": 2 if number == 9 else 1 for number in range(10)}


DRIVER = """
import json, sys
import cbai_notebook as cbai
from distributed import Client

scheduler, address, key, folder = sys.argv[1:]
if __name__ == "__main__":
    cbai.configure(base_url=address, api_key=key, model="hy3", history=folder + "/history.sqlite")
    with Client(scheduler) as client:
        cbai.batch(json.load(sys.stdin), "Rate {text}", engine=client, concurrency=8, progress=False)
"""


@kills
def test_a_driver_that_is_killed_costs_what_was_in_flight(
    gateway: Gateway, client: WatchedClient, tmp_path: Path
) -> None:
    gateway.always("echo+pause:headers:0.3")
    assert client.scheduler is not None
    arguments = [client.scheduler.address, gateway.base_url, KEY, str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        stdin=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as driver:
        assert driver.stdin is not None
        driver.stdin.write(json.dumps(rows(200)))
        driver.stdin.close()
        gateway.wait_until(lambda: gateway.begun.total() >= 40)
        driver.kill()
    gateway.wait_until(lambda: gateway.tally.running == 0)
    begun = gateway.begun.total()
    assert begun < 100, "the workers do not go on for nobody"
    gateway.always("echo")
    found = run(rows(200), engine=client)
    assert answered(found) == set(range(200))
    assert paid_twice(gateway) <= 2 * AT_ONCE  # in flight, and begun before the workers know it


# Errors for all rows, and an interrupt --------------------------------------------------------------


def test_an_error_for_all_rows_stops_all_workers_and_names_the_one(
    gateway: Gateway, client: WatchedClient
) -> None:
    gateway.always(f"{QUICK}+after:30:error:ACCESS_TOKEN_EXPIRED")
    found, reason = stopped(rows(300), engine=client, concurrency=AT_ONCE)
    assert len(answered(found)) == 30
    assert "Worker tcp://127.0.0.1:" in reason
    assert "30 of 300 rows" in reason
    assert len(gateway.requests) <= 30 + AT_ONCE
    gateway.always("echo")
    assert answered(run(rows(300), engine=client)) == set(range(300))
    assert paid_twice(gateway) == 0


def test_rows_that_all_fail_alike_stop_all_workers(gateway: Gateway, client: WatchedClient) -> None:
    gateway.always("error:400+pause:headers:0.1")
    _, reason = stopped(rows(300), engine=client, concurrency=AT_ONCE)
    assert "same way" in reason
    assert len(gateway.requests) < 200


async def test_an_interrupt_keeps_what_had_arrived_and_the_workers_stop(
    gateway: Gateway, client: WatchedClient
) -> None:
    gateway.always(scenario("echo+hold:headers").but(rows=(RowFault(4, scenario("echo")),)))
    batch = Batch(
        rows(200), PROMPT, BatchOptions(progress=False, engine=client, concurrency=AT_ONCE)
    )
    running = asyncio.ensure_future(batch.run())
    await gateway.until(lambda: sum(each.held for each in gateway.requests) == AT_ONCE)
    kept = gateway.begun.total() - AT_ONCE
    while batch.progress.answered < kept:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert batch.status == "interrupted"
    await gateway.until(lambda: gateway.tally.running == 0)  # the workers have left
    begun = gateway.begun.total()
    gateway.always("echo")
    found = await asyncio.to_thread(run, rows(200), engine=client)
    assert answered(found) == set(range(200))
    assert last().progress.known == kept
    assert begun == kept + AT_ONCE
    assert paid_twice(gateway) == AT_ONCE


# Keys and versions --------------------------------------------------------------------------------


def test_no_key_is_in_a_task(gateway: Gateway, client: WatchedClient) -> None:
    run(rows(40), engine=client)
    assert len(client.sent) > 2
    assert not any(KEY.encode() in each for each in client.sent)
    run(rows(40, first=40), engine=client, share_key=True)
    assert any(KEY.encode() in each for each in client.sent)


def test_a_tool_that_holds_a_key_is_refused(gateway: Gateway, client: WatchedClient) -> None:
    def ask(city: str) -> str:
        """Ask another service."""
        return f"{city} {token}"

    token = KEY
    with pytest.raises(SecretRefusedError, match="API key"):
        run(rows(4), tools=[ask], engine=client)
    assert not gateway.requests


def test_a_worker_without_the_key_is_named_before_anything_is_sent(
    gateway: Gateway, client: WatchedClient
) -> None:
    address = gateway.base_url.replace("127.0.0.1", "localhost")
    servers = {"work": {"base_url": f"{address}/ai/cloudbase", "api_key": KEY}}
    cbai.configure(servers=servers)
    try:
        with pytest.raises(ConfigurationError) as caught:
            run(rows(40), engine=client, model="work/hy3")
        message = str(caught.value)
        assert message.startswith("Nothing was sent: Worker tcp://127.0.0.1:")
        assert "share_key=True" in message
        assert KEY not in message
        assert not gateway.requests
        found = run(rows(40), engine=client, model="work/hy3", share_key=True)
        assert answered(found) == set(range(40))
    finally:
        cbai.configure(servers={"work": None})


def test_a_server_without_a_key_needs_no_settings_on_the_workers(
    gateway: Gateway, client: WatchedClient
) -> None:
    servers = {"open": {"base_url": f"{gateway.base_url}/ai/cloudbase"}}
    cbai.configure(servers=servers)
    try:
        _, reason = stopped(rows(2), engine=client, model="open/hy3")
        assert {each.headers.get("authorization") for each in gateway.requests} == {None}
        assert "open" in reason
    finally:
        cbai.configure(servers={"open": None})


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"cbai_notebook": "0.0.1"}, r"has Python 3\.\d+ and cbai-notebook 0\.0\.1; here they are"),
        ({"python": "3.2.1.final.0"}, r"has Python 3\.2 and cbai-notebook"),
        ({"cbai_notebook": None}, r"has no cbai-notebook"),
    ],
)
def test_other_versions_are_refused_before_anything_is_sent(
    gateway: Gateway, client: WatchedClient, found: dict[str, str | None], says: str
) -> None:
    client.versions = found
    with pytest.raises(UsageError, match=rf"^Worker tcp://127\.0\.0\.1:\d+ {says}"):
        run(rows(4), engine=client)
    assert not gateway.requests


# Clients and clusters -----------------------------------------------------------------------------


def test_a_batch_says_which_engine_it_takes(client: WatchedClient) -> None:
    with pytest.raises(UsageError, match=r"Client\(cluster\).* type LocalCluster"):
        run(rows(1), engine=client.cluster)


async def test_an_asynchronous_client_is_refused(cluster: LocalCluster) -> None:
    async with Client(cluster.scheduler_address, asynchronous=True) as client:
        with pytest.raises(UsageError, match="asynchronous"):
            Batch(rows(1), PROMPT, BatchOptions(engine=client))


def test_a_cluster_without_workers_is_told_at_once(gateway: Gateway) -> None:
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        Client(empty) as client,
        pytest.raises(ConfigurationError, match=r"cluster\.scale"),
    ):
        run(rows(4), engine=client)


def test_a_client_that_is_closed_is_told(gateway: Gateway, cluster: LocalCluster) -> None:
    with Client(cluster) as client:
        pass
    with pytest.raises(ConfigurationError, match="closed"):
        run(rows(4), engine=client)


def test_the_demo_model_answers_in_a_cluster_within_the_process(
    client: WatchedClient, tmp_path: Path
) -> None:
    cbai.configure(history=str(tmp_path / "history.sqlite"))
    model = cbai.demo(lambda messages: messages[-1]["content"].upper(), pace=0)
    try:
        with pytest.raises(ConfigurationError, match="processes=False"):
            run(rows(4), model="demo", engine=client)
        with (
            LocalCluster(n_workers=2, processes=False, dashboard_address=":0") as within,
            Client(within) as here,
        ):
            found = run(rows(80), model="demo", engine=here)
        assert [row["answer"] for row in found] == [f"RATE ROW-{number}" for number in range(80)]
        assert len(model.requests) == 80
    finally:
        cbai.demo()
        cbai.configure(history=None)


def test_a_batch_without_any_worker_left_ends_after_a_while(gateway: Gateway) -> None:
    gateway.always("echo+hold:headers")
    with (
        LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as small,
        Client(small) as client,
    ):
        options = BatchOptions(progress=False, concurrency=2)
        batch = Batch(rows(40), PROMPT, options, engine=DaskEngine(client, patience_s=0.0))
        running = bridge.submit(batch.run())
        gateway.wait_until(lambda: gateway.tally.running == 2)
        small.scale(0)
        with pytest.raises(ConfigurationError, match="All workers of the cluster have ended"):
            running.result()
        gateway.let_go()


def test_a_batch_whose_cluster_is_closed_ends(gateway: Gateway) -> None:
    gateway.always("echo+hold:headers")
    small = LocalCluster(n_workers=1, processes=False, dashboard_address=":0")
    with small, Client(small) as client:
        options = BatchOptions(progress=False, engine=client, concurrency=2)
        running = bridge.submit(Batch(rows(40), PROMPT, options).run())
        gateway.wait_until(lambda: gateway.tally.running == 2)
        client.close()
        with pytest.raises(ConfigurationError, match="is closed or has lost its cluster"):
            running.result()
        gateway.let_go()


def test_workers_that_come_take_part(gateway: Gateway) -> None:
    gateway.always("echo+hold:headers")
    with (
        LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as small,
        Client(small) as client,
    ):
        batch = Batch(rows(60), PROMPT, BatchOptions(progress=False, engine=client, concurrency=2))
        running = bridge.submit(batch.run())
        gateway.wait_until(lambda: gateway.tally.running == 2)
        small.scale(2)
        client.wait_for_workers(2)
        gateway.wait_until(lambda: gateway.tally.running == 3)  # the new one, with half
        gateway.always("echo")
        gateway.let_go()
        running.result()
    assert answered(batch.frame) == set(range(60))
    assert paid_twice(gateway) == 0
