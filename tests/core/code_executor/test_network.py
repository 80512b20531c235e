"""Which hosts a policy allows: what a rule says, and what is no rule."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.code_executor import NetworkPolicy, NetworkRule, SandboxPolicy, host_name
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("rule", "fitting", "others"),
    [
        (
            "api.test",
            [("api.test", 443), ("api.test", 80)],
            [("api.test", 22), ("a.api.test", 443), ("api.test.x", 443)],
        ),
        ("Api.Test.:8443", [("api.test", 8443)], [("api.test", 443)]),
        (
            "*.example.com",
            [("a.example.com", 80), ("a.b.example.com", 443)],
            [("example.com", 80), ("xexample.com", 80)],
        ),
        ("10.0.0.1", [("10.0.0.1", 80)], [("10.0.0.10", 80), ("10.0.0.1", 81)]),
        ("[::1]:*", [("::1", 1), ("::1", 65535)], [("::2", 1)]),
        ("2001:DB8::0:1", [("2001:db8::1", 443)], [("2001:db8::1:1", 443)]),
        ("bücher.example", [("xn--bcher-kva.example", 443)], [("bucher.example", 443)]),
    ],
)
def test_a_rule_fits_its_hosts_and_ports_and_no_others(
    rule: str, fitting: list[tuple[str, int]], others: list[tuple[str, int]]
) -> None:
    policy = NetworkPolicy(allow=[rule])
    assert all(policy.rule_for(*each) for each in fitting)
    assert not any(policy.rule_for(*each) for each in others)


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "*",
            "*.",
            "http://api.test",
            "api.test/simple",
            "user@api.test",
            "a..b",
            "-a.example",
            "a b",
            "*.10.0.0.1",
        ),
        *("127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "a.*.example", "api.test:", "api.test:http"),
        *(
            "api.test:²",
            "x" * 64 + ".example",
            "straße.example",
            "fe80::1%eth0",
            "api.test\n",
            "a.example:80:80",
            "[::1",
        ),
    ],
)
def test_what_is_no_host_is_refused_and_says_what_to_give(wrong: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"give a host \('api.test'\)"):
        NetworkPolicy(allow=[wrong])


@given(name=names)
def test_a_name_has_one_form(name: str) -> None:
    try:
        form = host_name(name)
    except ValueError:  # a name that resolvers take for a number
        assert name.rpartition(".")[2][0] in "0123456789" or "xn--" in name or "--" in name
        return
    assert host_name(form) == host_name(name.upper()) == host_name(f"{name}.") == form


@given(text=st.text())
def test_what_is_no_name_is_an_error_and_never_another(text: str) -> None:
    try:
        form = host_name(text)
    except ValueError:
        return
    assert form.isascii()
    assert form == form.lower()
    assert not set(form) & set(" /?#@\\\r\n\t\0%*[]")
    assert host_name(form) == form


def test_a_private_rule_goes_before_a_public_one() -> None:
    private = NetworkRule(host="db.example.com", private=True)
    policy = NetworkPolicy(allow=["*.example.com", private])
    assert policy.rule_for("db.example.com", 443) is private
    public = policy.rule_for("www.example.com", 443)
    assert public is not None
    assert not public.private


def test_the_address_of_a_rule_is_one() -> None:
    assert NetworkRule(host="api.test", address="192.0.2.7").address == "192.0.2.7"
    with pytest.raises(InvalidArgumentError, match="address of NetworkRule is 'example'"):
        NetworkRule(host="api.test", address="example")
    with pytest.raises(ArgumentTypeError, match="address of NetworkRule is 7"):
        NetworkRule(host="api.test", address=cast("Any", 7))


@pytest.mark.parametrize("allow", ["api.test", None, {"api.test"}, [1], [None]], ids=repr)
def test_the_list_is_a_list_of_hosts(allow: object) -> None:
    given: dict[str, Any] = {"allow": allow}
    with pytest.raises(ArgumentTypeError, match="allow of NetworkPolicy"):
        NetworkPolicy(**given)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="For no network, leave the policy out"):
        NetworkPolicy(allow=[])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("connections", value) for value in (0, 257, -1)),
        *(("connections_a_block", value) for value in (0, 100_001)),
        *(("block_bytes", value) for value in (0, 2**53 + 1)),
        *((name, value) for name in ("connect_timeout", "idle_timeout") for value in (0, -1.0, float("nan"), 1e9)),
    ],
)
def test_a_number_out_of_its_range_is_refused(name: str, value: float) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgumentError, match=f"^{name} of NetworkPolicy is {value}"):
        NetworkPolicy(allow=["api.test"], **given)


@pytest.mark.parametrize("name", ["connections", "connections_a_block", "block_bytes", "connect_timeout"])
@pytest.mark.parametrize("value", [True, "1", None], ids=repr)
def test_a_limit_that_is_no_number_is_refused(name: str, value: object) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(ArgumentTypeError, match=f"^{name} of NetworkPolicy is "):
        NetworkPolicy(allow=["api.test"], **given)


@pytest.mark.parametrize(
    ("host", "ports"), [(1, (80,)), ("a.example", [80]), ("a.example", ("80",)), ("a.example", 80)]
)
def test_a_rule_of_other_types_is_refused(host: object, ports: object) -> None:
    given: dict[str, Any] = {"host": host, "ports": ports}
    with pytest.raises(ArgumentTypeError, match="of NetworkRule is"):
        NetworkRule(**given)


def test_a_policy_with_a_network_is_a_policy_of_its_own() -> None:
    with_network = SandboxPolicy(network=NetworkPolicy(allow=["api.test"]))
    assert with_network == SandboxPolicy(network=NetworkPolicy(allow=(NetworkRule(host="api.test"),)))
    assert len({with_network, SandboxPolicy(), SandboxPolicy(network=NetworkPolicy(allow=["api.test:443"]))}) == 3
    given: dict[str, Any] = {"network": ["api.test"]}
    with pytest.raises(ArgumentTypeError, match=r"give NetworkPolicy\(allow=\['api.test'\]\)"):
        SandboxPolicy(**given)
