"""The small HTTP server beside a run."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
import urllib.error
import urllib.request

import pytest

from engine_runtime.errors import UsageError
from engine_runtime.serve.endpoint import endpoint

KIND = "text/plain; version=0.0.4; charset=utf-8"


def ask(address: str, path: str = "/metrics") -> tuple[str, str]:
    """Type and text of an answer."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_it_shows_what_is_rendered_now() -> None:
    """Each question is answered with the text of that moment, whatever its query; the health is a word."""
    count = iter(range(10))
    with endpoint("127.0.0.1", 0, lambda: f"räka {next(count)}\n", KIND) as address:
        assert ask(address) == (KIND, "räka 0\n")
        assert ask(address, "/metrics?name[]=x") == (KIND, "räka 1\n")
        assert ask(address, "/healthz")[1] == "ok\n"


def test_there_is_nothing_else() -> None:
    """Other paths are not found, and nothing may be sent."""
    with endpoint("127.0.0.1", 0, lambda: "", KIND) as address:
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            ask(address, "/../etc/passwd")
        refused.value.close()
        asked = http.client.HTTPConnection(address, timeout=30)
        asked.request("POST", "/metrics", b"x")
        assert asked.getresponse().status == 501
        asked.close()


def test_it_is_gone_at_the_end() -> None:
    """After the block the port is free and no thread is left, though an asker still holds a connection open."""
    before = threading.active_count()
    with endpoint("127.0.0.1", 0, lambda: "", KIND) as address:
        host, port = address.split(":")
        lingering = socket.create_connection((host, int(port)))
    with lingering, pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert "metrics" not in [thread.name for thread in threading.enumerate()]
    assert threading.active_count() <= before + 1
    with endpoint(host, int(port), lambda: "", KIND) as again:
        assert again == address


def test_it_is_gone_after_an_error() -> None:
    """A run that fails takes its server with it."""
    with pytest.raises(KeyError), endpoint("127.0.0.1", 0, lambda: "", KIND) as address:
        raise KeyError
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(address)


def test_a_taken_port_is_a_usage_error() -> None:
    """The message names the place, the fault and the options."""
    with endpoint("127.0.0.1", 0, lambda: "", KIND) as address:
        port = int(address.split(":")[1])
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: Address already in use.*--metrics-port"):
            endpoint("127.0.0.1", port, lambda: "", KIND).__enter__()


def test_a_port_that_becomes_free_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that follows on one that was killed does not fail for the moment that its workers take to end."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    monkeypatch.setattr(time, "sleep", lambda seconds: taken.close())
    with endpoint("127.0.0.1", port, lambda: "x", KIND) as address:
        assert ask(address)[1] == "x"


def test_a_host_of_another_machine_is_a_usage_error() -> None:
    """So is an address that this machine does not have."""
    with pytest.raises(UsageError, match=r"192\.0\.2\.1:9464"):
        endpoint("192.0.2.1", 9464, lambda: "", KIND).__enter__()


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_an_address_of_ipv6() -> None:
    """It listens at such an address too."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    with endpoint("::1", 0, lambda: "x\n", KIND) as address:
        assert address.startswith("[::1]:")
        assert ask(address)[1] == "x\n"


def test_an_asker_that_hangs_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of it, and the next one is answered."""
    with endpoint("127.0.0.1", 0, lambda: "x" * 5_000_000, KIND) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port))) as rude:
            rude.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            rude.recv(10)
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
        assert len(ask(address)[1]) == 5_000_000
    assert capsys.readouterr().err == ""
