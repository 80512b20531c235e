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
        ({"x-ms-retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "20"}, 20),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2027-01-15T08:01:00Z"},
            60,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2027-01-15T08:00:05Z",
                "anthropic-ratelimit-output-tokens-remaining": "0",
                "anthropic-ratelimit-output-tokens-reset": "2027-01-15T08:00:20Z",
            },
            20,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030000"}, 30),  # OpenRouter's, in milliseconds
        ({"ratelimit-remaining": "0", "ratelimit-reset": "7"}, 7),
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
        ("1800000042000", 42),
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


VENDORS: dict[str, tuple[dict[str, str], LimitReport]] = {
    "OpenAI": (
        {
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-limit-tokens": "30000",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "1m0s",
        },
        LimitReport(Allowance(500, 499, 0.12), Allowance(30000, 0, 60)),
    ),
    "Azure": (
        {"x-ratelimit-remaining-requests": "9", "x-ratelimit-remaining-tokens": "9000"},
        LimitReport(Allowance(None, 9), Allowance(None, 9000)),
    ),
    "Groq": (
        {"x-ratelimit-limit-requests": "14400", "x-ratelimit-reset-requests": "2m59.56s"},
        LimitReport(Allowance(14400, None, 179.56)),
    ),
    "Anthropic": (
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:01Z",
            "anthropic-ratelimit-tokens-limit": "38000",
            "anthropic-ratelimit-tokens-remaining": "37000",
            "anthropic-ratelimit-tokens-reset": "2027-01-15T08:00:02Z",
            "anthropic-ratelimit-input-tokens-limit": "30000",
            "anthropic-ratelimit-input-tokens-remaining": "29000",
            "anthropic-ratelimit-input-tokens-reset": "2027-01-15T08:00:03Z",
            "anthropic-ratelimit-output-tokens-limit": "8000",
            "anthropic-ratelimit-output-tokens-remaining": "0",
            "anthropic-ratelimit-output-tokens-reset": "2027-01-15T08:00:04Z",
        },
        LimitReport(
            Allowance(50, 49, 1), Allowance(38000, 37000, 2), Allowance(30000, 29000, 3), Allowance(8000, 0, 4)
        ),
    ),
    "Mistral": (
        {
            "x-ratelimit-limit-req-minute": "720",
            "x-ratelimit-remaining-req-minute": "717",
            "x-ratelimit-limit-tokens-minute": "5000000",
            "x-ratelimit-remaining-tokens-minute": "4999911",
        },
        LimitReport(Allowance(720, 717), Allowance(5_000_000, 4_999_911)),
    ),
    "Cerebras": (
        {
            "x-ratelimit-limit-tokens-minute": "60000",
            "x-ratelimit-remaining-tokens-minute": "50",
            "x-ratelimit-reset-tokens-minute": "26.5",
            "x-ratelimit-limit-requests-day": "1000",
        },
        LimitReport(tokens=Allowance(60000, 50, 26.5)),
    ),
    "Fireworks": (
        {"x-ratelimit-limit-tokens-prompt": "3600000", "x-ratelimit-limit-tokens-generated": "36000"},
        LimitReport(input_tokens=Allowance(3_600_000), output_tokens=Allowance(36_000)),
    ),
    "no window": (
        {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
        LimitReport(Allowance(None, 0, 1)),
    ),
    "none": ({"content-type": "application/json"}, LimitReport()),
}


@pytest.mark.parametrize(("headers", "report"), VENDORS.values(), ids=VENDORS)
def test_the_limits_of_each_vendor(headers: Mapping[str, str], report: LimitReport) -> None:
    assert LimitReport.read(headers, NOW) == report


@given(st.text(), st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset"]), st.text()))
def test_any_text_in_a_header_is_a_time_or_none(text: str, headers: dict[str, str]) -> None:
    told = seconds_in(text, NOW)
    assert told is None or 0 <= told < float("inf")
    told = retry_delay(headers, limited=True, now=NOW)
    assert told is None or 0 <= told < float("inf")
