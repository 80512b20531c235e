import time

from symposia.core.tools import is_portable_tool_name
from symposia.ext.tools._tool_names import UnusedNames, portable_name


def test_a_name_is_given_once() -> None:
    names = UnusedNames(["taken"])
    assert [names.take(name) for name in ("a", "a", "taken", "a", "a_2")] == ["a", "a_2", "taken_2", "a_3", "a_2_2"]


def test_a_name_has_what_every_vendor_takes() -> None:
    assert [portable_name(each) for each in ("_a-1_", "GET /a/{id}", "é", "x" * 70)] == [
        "_a-1_",
        "GET_a_id",
        "tool",
        "x" * 64,
    ]


def test_many_names_that_clash_are_told_apart_in_linear_time() -> None:
    names = UnusedNames()
    began = time.process_time()
    given = [names.take(name) for name in ["x" * 64] * 20_000]
    given += [names.take("y" * 58 + f"{number:06}") for number in range(10_000) for _ in range(2)]
    assert time.process_time() - began < 5  # quadratic time is a minute
    assert len(set(given)) == 40_000
    assert all(map(is_portable_tool_name, given))
