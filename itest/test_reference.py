"""What is told of the configuration's keys beside the parser's errors."""

import json
import pathlib
import re
import subprocess
import tomllib

import jsonschema
import pytest

import test_config_mistakes as mistakes
from harness import server as srv
from harness.certs import ROOT

SERVER = ROOT / "cmd/lbproxyd"
SCHEMA = json.loads((SERVER / "lbproxyd.schema.json").read_text())
REFERENCE = (SERVER / "lbproxyd.toml").read_text()
PAGE = (SERVER / "lbproxyd.toml.5").read_text()
UPDATE = ROOT / "itest/reference/update"


def check():
    return subprocess.run([UPDATE, "--check"], capture_output=True, text=True,
                          timeout=30, check=False)


@pytest.mark.spec("CFG-122")
def test_nothing_has_drifted():
    done = check()
    assert (done.returncode, done.stderr) == (0, "")


def keys_of(schema, path=""):
    """Each key that a schema knows, as the path of its table and its name."""
    if "oneOf" in schema:
        for one in schema["oneOf"]:
            yield from keys_of(one, path)
    items = schema.get("items")
    if items:
        yield from keys_of(items, path)
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        yield from keys_of(more, path + ".*")
    for name, below in schema.get("properties", {}).items():
        yield path, name
        yield from keys_of(below, f"{path}.{name}")


def known_to_the_parser(tmp_path, text, key):
    """The keys that the message about an unknown one lists."""
    path = srv.write_config(tmp_path, text)
    stderr = srv.run("-c", path, "--check").stderr
    found = re.search(rf"unknown key '{re.escape(key)}'.*accepted: (.+)",
                      stderr)
    assert found, stderr
    return set(found[1].split(", "))


TLS = "[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'a'\n"
APP = ("[[app]]\nid = 'a'\nlisten = ['h:1']\n"
       "upstream = [{ url = 'tcp://h:1' }]\n")
TABLES = {
    "": "zzzzzzzz = 1\n", ".server": "[server]\nzzzzzzzz = 1\n",
    ".tls": "[tls]\nzzzzzzzz = 1\n", ".log": "[log]\nzzzzzzzz = 1\n",
    ".timeouts": "[timeouts]\nzzzzzzzz = 1\n",
    ".tls.client_ca": "[[tls.client_ca]]\nzzzzzzzz = 1\n",
    ".app": "[[app]]\nzzzzzzzz = 1\n",
    ".app.timeouts": "[[app]]\ntimeouts.zzzzzzzz = 1\n",
    ".app.limits": "[[app]]\nlimits.zzzzzzzz = 1\n",
    ".app.health": "[[app]]\nhealth.zzzzzzzz = 1\n",
    ".app.upstream": "[[app]]\n[[app.upstream]]\nzzzzzzzz = 1\n",
    ".client": "[[client]]\nzzzzzzzz = 1\n",
    ".client.limits.*": TLS + APP + "[[client]]\nid = 'c'\nserials = ['1']\n"
                        "apps = ['a']\nlimits.a.zzzzzzzz = 1\n",
}


@pytest.mark.spec("CFG-120", "CFG-122")
def test_the_schema_has_the_parser_s_keys(tmp_path):
    known = {}
    for path, name in keys_of(SCHEMA):
        known.setdefault(path, set()).add(name)
    del known[".client"], TABLES[".client"]
    for path, text in TABLES.items():
        key = f"{path.replace('*', 'a')}.zzzzzzzz"[1:]
        assert known.pop(path) == known_to_the_parser(tmp_path, text, key), path
    assert known == {}


# --- the schema --------------------------------------------------------------

def is_valid(text):
    return jsonschema.Draft7Validator(SCHEMA).is_valid(tomllib.loads(text))


@pytest.mark.spec("CFG-120")
def test_it_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.spec("CFG-120")
def test_what_it_accepts():
    assert is_valid(mistakes.BASE)
    assert is_valid(REFERENCE)
    assert is_valid(REFERENCE.replace('client_ca = "ca.pem"', "").replace(
        "#[[tls.client_ca]]",
        "[[tls.client_ca]]\nid = 'a'\nfile = 'b'\n"))
    assert is_valid(TLS + APP)


# Errors that have to do with one value or one table.
LOCAL = re.compile(r"unknown key |\S+ is required: |\S+ must be an integer "
                   r"|.*, not (a|an) [a-z]+$")


def rejected():
    for case in mistakes.CASES:
        text, _ = mistakes.places(mistakes.BASE.replace(*case.values[:2], 1))
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        for message in case.values[2]:
            plain = message.replace("\\", "")
            if LOCAL.match(plain) and "client.serials is required" not in plain:
                yield pytest.param(text, id=case.id)
                break


@pytest.mark.spec("CFG-120")
def test_what_it_rejects():
    texts = [param.values[0] for param in rejected()]
    assert len(texts) > 80
    assert [text for text in texts if is_valid(text)] == []


# --- the reference configuration ---------------------------------------------

@pytest.fixture
def home(pki, tmp_path):
    names = {
        "server.pem": pki.of("server")[0], "server.key": pki.of("server")[1],
        "ca.pem": pki.ca, "ca.crl": pki.crl,
        "upstream-ca.pem": pki.upstream_ca,
        "proxy-client.pem": pki.of_upstream("proxy")[0],
        "proxy-client.key": pki.of_upstream("proxy")[1],
    }
    for name, path in names.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    return tmp_path


def is_fine(home, text):
    path = srv.write_config(home, text)
    done = srv.run("-c", path, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def in_one_form():
    """Without the other form of tls.client_ca, whose tables are commented
    out as well."""
    begin = REFERENCE.index("#[[tls.client_ca]]")
    return REFERENCE[:begin] + REFERENCE[REFERENCE.index("\n[", begin):]


@pytest.mark.spec("CFG-121")
def test_it_loads_as_it_stands(home):
    is_fine(home, REFERENCE)


@pytest.mark.spec("CFG-121")
def test_it_loads_with_every_key(home):
    whole = re.sub(r"^#(\w+ = )", r"\1", in_one_form(), flags=re.M)
    is_fine(home, whole.replace("tcp://127.0.0.1:7001", "tls://localhost:1"))
    given = set(keys_in(tomllib.loads(whole)))
    known = {key for key in keys_of(SCHEMA)
             if not key[0].startswith(".tls.client_ca")}
    assert given == known


def keys_in(tree, path=""):
    for name, value in tree.items():
        yield path, name
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                below = f"{path}.{name}"
                if below == ".client.limits":
                    item, below = item["echo"], below + ".*"
                yield from keys_in(item, below)


@pytest.mark.spec("CFG-121")
def test_defaults_are_those_in_effect(home):
    """What it tells of defaults is what --show shows without them."""
    path = srv.write_config(home, REFERENCE)
    shown = tomllib.loads(
        srv.run("-c", path, "--check", "--show").stdout)
    with_all = srv.write_config(home, re.sub(
        r"^(# .*Default: (.+)\.\n#(\w+) = )\2$", r"\1\2\n\3 = \2",
        in_one_form(), flags=re.M), name="all.toml")
    assert with_all.read_text().count("\n") > in_one_form().count("\n") + 20
    again = tomllib.loads(
        srv.run("-c", with_all, "--check", "--show").stdout)
    again["app"][0]["limits"].pop("window", None)
    again["client"][0]["limits"]["echo"].pop("window", None)
    assert again == shown


# --- the manual --------------------------------------------------------------

@pytest.mark.spec("CFG-122")
def test_the_manual_has_each_key():
    for _, name in keys_of(SCHEMA):
        assert re.search(rf"^\.(It Cm {name}$|Ss \[+(.+\.)?{name}\W)", PAGE,
                         re.M), name


@pytest.mark.spec("CFG-122")
def test_the_manual_for_programs_has_no_list():
    page = pathlib.Path(SERVER / "lbproxyd.8").read_text()
    assert ".Ss [[app]]" not in page
