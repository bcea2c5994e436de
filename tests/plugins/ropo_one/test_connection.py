"""A connection's fields are checked, and what is wrong is said without a secret."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import Connection

from ropo_one.connection import read_connection
from ropo_one.exceptions import RopoConnectionInvalidError


def connection(**fields: object) -> Connection:
    known = {"conn_type": "ropo_one", "host": "rc.ropo24.fi", "login": "1000011", "password": "c0de"}
    return Connection.from_json(json.dumps(known | fields), conn_id="mine")


@pytest.mark.parametrize(
    ("host", "port", "base_url", "known_as"),
    [
        ("rc.ropo24.fi", None, "https://rc.ropo24.fi", "rc.ropo24.fi"),
        (" https://rc.Ropo24.fi/ ", None, "https://rc.Ropo24.fi", "rc.ropo24.fi"),
        ("https://ropo24.se:443", None, "https://ropo24.se:443", "ropo24.se"),
        ("ropo24.no", 8443, "https://ropo24.no:8443", "ropo24.no:8443"),
        ("http://127.0.0.1:8000", 9, "http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:80", None, "http://localhost:80", "localhost"),
        ("https://gateway.example/ropo/", 444, "https://gateway.example:444/ropo", "gateway.example:444"),
        ("[::1]", 99, "https://[::1]:99", "[::1]:99"),
        ("https://rc.ropo24.fi.:0443", None, "https://rc.ropo24.fi.:0443", "rc.ropo24.fi"),
        ("hör.example", None, "https://hör.example", "hör.example"),
        ("https://rc.ropo24.fi:", 8443, "https://rc.ropo24.fi:8443", "rc.ropo24.fi:8443"),
        ("http://127.0.0.1:443", None, "http://127.0.0.1:443", "127.0.0.1:443"),
        ("gateway.example/interest", None, "https://gateway.example/interest", "gateway.example"),
    ],
)
def test_the_host_is_https_unless_it_says_otherwise(host: str, port: int | None, base_url: str, known_as: str) -> None:
    read = read_connection(connection(host=host, port=port))
    assert (read.base_url, read.host) == (base_url, known_as)


@pytest.mark.parametrize(
    "host",
    [
        "ftp://rc.ropo24.fi",
        "https://",
        "https://s3cret@rc.ropo24.fi",
        "https://:s3cret@rc.ropo24.fi",
        "https://rc.ropo24.fi?token=s3cret",
        "https://rc.ropo24.fi#s3cret",
        "https://rc.ropo24.fi:s3cret",
        "https://[s3cret",
        "rc.ropo24.fi s3cret",
        "rc..ropo24.fi",
        "x" * 64,
    ],
)
def test_a_host_of_another_form_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(RopoConnectionInvalidError, match=r"Connection mine: Host \(host\): expected") as refused:
        read_connection(connection(host=host))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("field", "label"), [("host", "Host"), ("login", "Customer number"), ("password", "API code")])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named_as_in_the_form(field: str, label: str, value: str | None) -> None:
    with pytest.raises(RopoConnectionInvalidError, match=rf"Connection mine: {label} \({field}\) is empty"):
        read_connection(connection(**{field: value}))


@pytest.mark.parametrize(
    "host",
    [
        "http://rc.ropo24.fi",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "http://[::2]",
        "http://localhost.example",
        "http://notlocalhost",
    ],
)
def test_plain_http_beyond_this_machine_is_refused(host: str) -> None:
    with pytest.raises(RopoConnectionInvalidError, match=r"Connection mine: Host \(host\): expected https, got http"):
        read_connection(connection(host=host))


@pytest.mark.parametrize("value", [False, 0, "false", "/some/ca.pem"])
def test_verification_cannot_be_switched_off(value: object) -> None:
    with pytest.raises(
        RopoConnectionInvalidError, match=r"Connection mine: extra verify: .* always verified.* ca_file"
    ):
        read_connection(connection(extra={"verify": value}))


@pytest.mark.parametrize("value", [True, None, ""])
def test_a_verify_that_switches_nothing_off_is_passed_over(value: object) -> None:
    assert read_connection(connection(extra={"verify": value, "read_timeout": 5})).read_timeout == 5


@pytest.mark.parametrize("value", ["/nowhere/ca.pem", "/", 1, False])
def test_a_ca_file_must_be_there(value: object) -> None:
    with pytest.raises(RopoConnectionInvalidError, match="Connection mine: extra ca_file: expected the path"):
        read_connection(connection(extra={"ca_file": value}))


def test_a_customer_number_may_be_a_number() -> None:
    assert read_connection(connection(login=1000011)).cid == "1000011"


@pytest.mark.parametrize(
    ("name", "value", "longest"),
    [
        *(("read_timeout", value, 300) for value in (0, -1, "x", "nan", "inf", [1], {"a": 1}, 301)),
        ("connect_timeout", 31, 30),
    ],
)
def test_a_timeout_that_is_none_or_outlasts_a_drain_is_refused(name: str, value: object, longest: int) -> None:
    with pytest.raises(
        RopoConnectionInvalidError,
        match=f"Connection mine: extra {name}: expected seconds above 0 and up to {longest}, ",
    ):
        read_connection(connection(extra={name: value}))


def test_timeouts_may_be_as_long_as_a_drain_bears() -> None:
    read = read_connection(connection(extra={"connect_timeout": 30, "read_timeout": "300"}))
    assert (read.connect_timeout, read.read_timeout) == (30.0, 300.0)


@pytest.mark.parametrize("extra", [None, "", {}, {"read_timeout": None}, {"read_timeout": ""}])
def test_timeouts_have_defaults(extra: object) -> None:
    read = read_connection(connection(extra=extra))
    assert (read.connect_timeout, read.read_timeout) == (10.0, 240.0)


@pytest.mark.parametrize("extra", ["[1]", '"a"', "null", '{"ca_file": "/s3cret", }', "ca_file=/s3cret"])
def test_an_extra_that_is_no_json_object_is_refused_and_not_passed_over(extra: str) -> None:
    with pytest.raises(RopoConnectionInvalidError, match=r"Connection mine: Extra \(extra\): expected") as refused:
        read_connection(connection(extra=extra))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", ["read_timout", "timeout", "headers", "X-Extra", "allow_redirects"])
def test_an_extra_that_nobody_reads_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(
        RopoConnectionInvalidError,
        match=rf"Connection mine: Extra \(extra\): '{name}' is not known; "
        "it may hold connect_timeout, read_timeout, ca_file$",
    ) as refused:
        read_connection(connection(extra={name: "s3cret", "read_timeout": 5}))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("value", [None, ""])
def test_a_field_that_a_form_left_empty_is_passed_over(value: str | None) -> None:
    assert read_connection(connection(extra={"headers": value, "read_timeout": 5})).read_timeout == 5


@pytest.mark.parametrize("host", ["https://rc.ropo24.fi/rest", "rc.ropo24.fi/rest/", "https://rc.ropo24.fi/REST/token"])
def test_the_path_of_the_api_is_no_part_of_the_host(host: str) -> None:
    with pytest.raises(
        RopoConnectionInvalidError, match=r"Connection mine: Host \(host\): write scheme, host and port only"
    ):
        read_connection(connection(host=host))


@pytest.mark.parametrize("conn_type", ["http", None])
def test_another_type_is_refused(conn_type: str | None) -> None:
    with pytest.raises(RopoConnectionInvalidError, match="Connection mine: expected the type ropo_one, got"):
        read_connection(connection(conn_type=conn_type))


def test_a_uri_works_with_a_hyphen_in_its_scheme_only() -> None:
    read = read_connection(Connection.from_uri("ropo-one://1000011:c0de@rc.ropo24.fi", conn_id="mine"))
    assert (read.base_url, read.cid, read.apicode) == ("https://rc.ropo24.fi", "1000011", "c0de")
    with pytest.raises(RopoConnectionInvalidError, match="a URI needs the form ropo-one://"):
        read_connection(Connection.from_uri("ropo_one://1000011:c0de@rc.ropo24.fi", conn_id="mine"))


def test_the_api_code_is_in_no_representation() -> None:
    from rich.pretty import pretty_repr

    read = read_connection(connection())
    assert "c0de" not in repr(read) + str(read) + pretty_repr(read)
