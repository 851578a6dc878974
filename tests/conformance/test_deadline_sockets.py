"""A strand's sockets: it waits for what is still to come, and not for what it holds already."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from notifications.delivery.transports.deadline import dial, secured
from notifications.models.lease import boottime
from tests.conformance.in_strands import in_a_strand
from tests.peers.certificate import make_certificate, server_context


def test_what_came_in_one_record_of_tls_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    read = threading.Event()

    def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
        with context.wrap_socket(listener.accept()[0], server_side=True) as line:
            line.sendall(b"abc")
            read.wait(30)

    def reads() -> None:
        deadline = boottime() + 10
        plain = dial("127.0.0.1", port, deadline=deadline)
        with secured(plain, host="127.0.0.1", until=deadline) as line:
            assert [line.recv(1) for _ in range(3)] == [b"a", b"b", b"c"]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = threading.Thread(target=serve, args=(listener, server_context(certificate)))
        server.start()
        try:
            in_a_strand(reads)
        finally:
            read.set()
            server.join(30)
