"""Certificates, and the trust in the authority of one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.in_strands import in_a_strand
from tests.conformance.ways import Certificates
from tests.peers import make_certificate


@pytest.fixture(scope="package")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    """The peers' certificates; what the transports trust is the authority of the known one."""

    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    made = Certificates(make_certificate(folder("known")), make_certificate(folder("stranger")))
    with pytest.MonkeyPatch.context() as patch:
        # the standard library's variable, and that of `requests`
        patch.setenv("SSL_CERT_FILE", str(made.known.authority))
        patch.setenv("REQUESTS_CA_BUNDLE", str(made.known.authority))
        yield made


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Have what speaks SMTP do so in a strand, as it does in a worker."""
    if "smtp" not in pyfuncitem.nodeid and "pipelining" not in pyfuncitem.nodeid:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    in_a_strand(lambda: pyfuncitem.obj(**arguments))
    return True
