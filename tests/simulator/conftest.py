from collections.abc import Iterator

import pytest

from tests.simulator.harness import Receiver, SimulatorProcess, running


@pytest.fixture(scope="package")
def shared(tmp_path_factory) -> Iterator[tuple[SimulatorProcess, Receiver]]:
    """One process for the tests that do not kill it; each begins with a reset."""
    receiver = Receiver()
    with running(tmp_path_factory.mktemp("simulator"), receiver.url) as simulator:
        yield simulator, receiver
    receiver.close()


@pytest.fixture
def simulator(shared) -> SimulatorProcess:
    process: SimulatorProcess
    process, receiver = shared
    process.control("reset", method="POST")
    receiver.forget()
    return process


@pytest.fixture
def receiver(shared) -> Receiver:
    found: Receiver = shared[1]
    return found
