"""Deliveries of every provider over 50 connections: how many a second, and how long each of 50 at once waits."""

from deliveries import EXAMPLE, REPEAT_EVERY
from report import Result, Row, median, ms, rate
from stage import Server, Stage

TITLE = "every provider's deliveries at 50 connections, one process; 50 at once by two as well"
CONNECTIONS = 50
MOST_MS = 50.0
BURSTS = 20
TARGETS = {"daphne": 0.8, "uvicorn": 1.5}
PATHS = {
    "kapso": "/webhooks/kapso/{channel}",
    "twilio": "/webhooks/twilio/{twilio}",
    "stripe": "/webhooks/stripe",
    "identity": "/webhooks/identity",
    "scores": "/webhooks/scores",
}


def take(stage: Stage) -> Result:
    result = Result("providers", TITLE)
    requests = 300 if stage.quick else 2_500
    rounds = 1 if stage.quick else 3
    yardstick = stage.yardstick(stage.database("yardstick_providers"))
    ours = [stage.product(kind, stage.database(f"{kind}_providers")) for kind in TARGETS]
    two = stage.product("daphne", stage.database("daphne_two_providers"), processes=2)
    for provider in PATHS:
        _warm(stage, provider, [yardstick, *ours, two])
        for server in ours:
            _compare(result, stage, provider, server, yardstick, requests, rounds)
        _at_once(result, stage, provider, two, yardstick)
    for server in [yardstick, *ours, two]:
        stage.end(server)
    return result


def _warm(stage: Stage, provider: str, servers: list[Server]) -> None:
    for server in servers:
        _load(stage, provider, server, 200, "warm")


def _compare(
    result: Result, stage: Stage, provider: str, server: Server, yardstick: Server, requests: int, rounds: int
) -> None:
    """The yardstick before and after each of ours."""
    ratios, waits, rates, bare = [], [], [], [_load(stage, provider, yardstick, requests, f"y-{server.name}")[0]]
    acknowledged = 0
    for number in range(rounds):
        achieved, p95, count = _load(stage, provider, server, requests, f"r{number}")
        bare.append(_load(stage, provider, yardstick, requests, f"y{number}-{server.name}")[0])
        ratios.append(achieved / ((bare[-2] + bare[-1]) / 2))
        waits.append(p95)
        rates.append(achieved)
        acknowledged += count
    burst, count = _burst(stage, provider, server)
    acknowledged += count
    ratio, target = median(ratios), TARGETS[server.name]
    what = f"{provider}, {server.name}"
    result.rows += [
        Row(what, rate(median(rates)), rate(median(bare)), f"{ratio:.2f}", f">= {target}", ratio >= target),
        Row(f"{what}, p95 of 50 at once", ms(burst), target=f"< {MOST_MS:.0f} ms", holds=burst < MOST_MS),
        Row(f"{what}, p95 without a pause", ms(median(waits))),
        _kept(stage, provider, server, what, acknowledged),
    ]
    result.raw[what] = {"ratios": ratios, "p95_ms": waits, "rates": rates, "yardstick": bare}


def _at_once(result: Result, stage: Stage, provider: str, server: Server, yardstick: Server) -> None:
    """50 at once again, by as many processes as there are cores."""
    what = f"{provider}, {server.name}, two processes"
    by_hand, _ = _burst(stage, provider, yardstick)
    burst, count = _burst(stage, provider, server)
    result.rows += [
        Row(f"{what}, p95 of 50 at once", ms(burst), ms(by_hand), target=f"< {MOST_MS:.0f} ms", holds=burst < MOST_MS),
        _kept(stage, provider, server, what, count),
    ]


def _burst(stage: Stage, provider: str, server: Server) -> tuple[float, int]:
    """The p95 in ms of 50 at once, again and again, and how many different ones were acknowledged."""
    _, p95, count = _load(stage, provider, server, CONNECTIONS * BURSTS, "burst", bursts=True)
    return p95, count


def _load(
    stage: Stage, provider: str, server: Server, requests: int, prefix: str, *, bursts: bool = False
) -> tuple[float, float, int]:
    """How many a second, the p95 in ms, and how many different ones were acknowledged."""
    spec = {
        "provider": provider,
        "port": server.port,
        "public_url": f"http://127.0.0.1:{server.port}",
        "path": PATHS[provider].format(**stage.cast),
        "secret": stage.cast["secret"],
        "example": EXAMPLE,
        "prefix": f"{provider}{prefix}",
        "requests": requests,
        "connections": CONNECTIONS,
        "repeat_every": REPEAT_EVERY,
        "bursts": bursts,
    }
    stage.checkpoint()
    answer = stage.ask("load", "load_deliveries.py", spec)
    if answer["refused"]:
        raise RuntimeError(f"{server.name} refused {provider}: {answer['refused']}")
    rate_ = len(answer["acknowledged"]) / answer["elapsed"]
    return rate_, answer["p95_ms"], len(set(answer["acknowledged"]))


def _kept(stage: Stage, provider: str, server: Server, what: str, acknowledged: int) -> Row:
    """Each different one once, with its job; the warm-up is left out of nothing, so at least so many."""
    with stage.connect(server.database) as connection:
        row = connection.execute(
            "select count(*), count(j.id) from webhooks_delivery d "
            "left join job j on (j.payload ->> 'delivery_id')::bigint = d.id where d.provider = %s",
            [provider],
        ).fetchone()
    kept, jobs = row if row else (0, 0)
    warm = len({number - 1 if number % REPEAT_EVERY == REPEAT_EVERY - 1 else number for number in range(200)})
    holds = kept == jobs == acknowledged + warm
    said = f"{kept:,} of {acknowledged + warm:,}"
    return Row(f"{what}, kept once", said, target="all", holds=holds)
