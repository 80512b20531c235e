"""What is read from the headers of a response."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.ext.models._limit_headers import Allowance, LimitReport, retry_delay, seconds_in

NOW = 1_800_000_000.0  # 15 January 2027, 08:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "250", "retry-after": "20"}, 0.25),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2027-01-15T08:01:00Z"},
            60,
        ),
    ],
)
def test_the_wait_that_a_server_asks_for(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_delay(headers, limited=True, now=NOW) == seconds


def test_the_reset_of_a_limit_counts_only_where_the_limit_was_the_reason() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60"}
    assert retry_delay(headers, limited=False, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360),
        ("1h2m3.5s", 3723.5),
        ("120ms", 0.12),
        ("1s", 1),
        ("42", 42),
        ("1800000042", 42),
        ("2027-01-15T08:00:42+00:00", 42),
        ("2027-01-15T08:00:42", 42),
        ("2020-01-01T00:00:00Z", 0),
        ("", None),
        ("1 minute", None),
        ("m", None),
    ],
)
def test_durations_and_times_of_a_reset(text: str, seconds: float | None) -> None:
    assert seconds_in(text, NOW) == pytest.approx(seconds)


def test_the_limits_of_each_vendor() -> None:
    openai = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m0s",
    }
    assert LimitReport.read(openai, NOW) == LimitReport(Allowance(500, 499, 0.12), Allowance(30000, 0, 60))
    anthropic = {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}
    assert LimitReport.read(anthropic, NOW).requests == Allowance(50, 49)


@given(st.text(), st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset"]), st.text()))
def test_any_text_in_a_header_is_a_time_or_none(text: str, headers: dict[str, str]) -> None:
    told = seconds_in(text, NOW)
    assert told is None or 0 <= told < float("inf")
    told = retry_delay(headers, limited=True, now=NOW)
    assert told is None or 0 <= told < float("inf")
