"""Everything the tests need around the server: peers, certificates, ports."""
