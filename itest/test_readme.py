"""README's first configuration, typed as it stands."""

import pytest

from harness.certs import ROOT
from harness.document import Section

README = ROOT / "README.md"


@pytest.fixture
def first(tmp_path):
    section = Section(README, ["A first configuration"], tmp_path,
                      ports=(9001, 8080))
    yield section
    section.stop()


@pytest.mark.spec("INS-5")
def test_the_first_configuration(first):
    assert len(first.shell) == 3
    made = first.run(0)
    assert made.endswith("lbproxy.toml is fine\n"), made
    assert '[[client]]\nid = "alice"\n' in (
        first.home / "lbproxy.toml").read_text()

    first.start(1, 9001, 8080)
    seen = first.run(2)
    assert "hello from the upstream" in seen, seen + first.output()
    assert "bob is refused, and the log says why" in seen
    assert "refused, unknown_client: no client lists" in seen
    assert '"client":"alice"' in first.output()
    assert '"reason":"unknown_client"' in first.output()
    first.interrupt()
    assert '"event":"stopped"' in first.output()
