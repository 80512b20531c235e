"""The bundled tasks from end to end: the models' answers are recorded, the code really runs in a sandbox.

The figures in the answers are asserted against what this file computes from the data with the standard library alone.
"""

import asyncio
import csv
import json
import math
import statistics
from pathlib import Path

import pytest
from tests.support.working_sandbox import working_sandbox

from symposia.presets.coding import BundledName, CodingOutcome, CodingResult, bundled_task, run_coding_swarm

PNG = b"\x89PNG\r\n\x1a\n"


class Runs:
    """Each bundled task, run once, when a test first asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._results: dict[str, CodingResult] = {}

    async def of(self, name: str) -> CodingResult:
        if name not in self._results:
            sandbox = await working_sandbox()
            bundled = await asyncio.to_thread(bundled_task, name)
            self._results[name] = await run_coding_swarm(
                bundled.task,
                models=bundled.models(sandbox=sandbox.name),
                sandbox=sandbox,
                folder=self.folder / name,
            )
        return self._results[name]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))


async def rows(name: str) -> list[dict[str, str]]:
    bundled = await asyncio.to_thread(bundled_task, name)
    with bundled.task.data[0].open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", BundledName)
async def test_a_bundled_task_ends_verified_and_leaves_everything(name: str, runs: Runs) -> None:
    result = await runs.of(name)
    assert result.outcome is CodingOutcome.VERIFIED, result.detail
    assert result.recorded
    left = {path.name for path in (runs.folder / name).iterdir()}
    assert left >= {"answer.md", "code", "transcript.md", "transcript.jsonl", "usage.json"}
    lines = (runs.folder / name / "transcript.jsonl").read_text().splitlines()
    assert len(lines) == len(result.messages)
    assert json.loads((runs.folder / name / "usage.json").read_text())["estimated"]
    assert "are recorded" in (runs.folder / name / "answer.md").read_text()


async def test_the_sales_answer_has_the_figures_that_the_data_give(runs: Runs) -> None:
    quarters = await rows("sales")
    revenue = [float(row["revenue"]) for row in quarters]
    per_customer = [each / int(row["customers"]) for each, row in zip(revenue, quarters, strict=True)]
    mean, deviation = statistics.mean(per_customer), statistics.stdev(per_customer)
    scores = [(each - mean) / deviation for each in per_customer]
    outlier = max(range(4), key=lambda number: abs(scores[number]))

    answer = (await runs.of("sales")).answer or ""

    for each in per_customer:
        assert f"{each:,.2f}" in answer
    assert f"The outlier is Q{outlier + 1} 2024" in answer
    assert f"{abs(scores[outlier]):.2f} standard deviations below" in answer
    assert scores[outlier] < 0
    for figure in projection(revenue):
        assert f"{figure:,.0f}" in answer


def projection(revenue: list[float]) -> tuple[float, float, float, float]:
    """The slope, the next value on the least-squares line, and the 95 % prediction interval around it."""
    count = len(revenue)
    slope, intercept = statistics.linear_regression(range(1, count + 1), revenue)
    value = intercept + slope * (count + 1)
    squares = sum((each - intercept - slope * time) ** 2 for time, each in enumerate(revenue, 1))
    mean_time = (count + 1) / 2
    around = sum((time - mean_time) ** 2 for time in range(1, count + 1))
    error = math.sqrt(squares / (count - 2) * (1 + 1 / count + (count + 1 - mean_time) ** 2 / around))
    assert count - 2 == 2
    t = 2 * 0.95 / math.sqrt(2 * (1 - 0.95**2))  # the exact 97.5 % quantile of Student's t for two degrees of freedom
    assert math.isclose(t, 4.302653, rel_tol=1e-6)
    return slope, value, value - t * error, value + t * error


async def test_the_first_attempt_at_the_sales_really_fails_and_its_error_goes_back(runs: Runs) -> None:
    result = await runs.of("sales")
    first, second = result.runs
    assert first.exit_code == 1
    assert "Q1_2024" in first.output
    assert second.exit_code == 0
    speakers = [message.source for message in result.messages]
    assert speakers == ["user", "planner", "coder", "executor", "coder", "executor", "reviewer"]


async def test_the_product_answer_has_the_figures_that_the_data_give(runs: Runs) -> None:
    sales = await rows("products")
    products = sorted({row["product"] for row in sales})
    revenue = {each: sum(float(row["revenue"]) for row in sales if row["product"] == each) for each in products}
    units = {
        each: statistics.mean(int(row["units_sold"]) for row in sales if row["product"] == each) for each in products
    }
    total = sum(revenue.values())
    best = max(products, key=lambda each: revenue[each])

    answer = (await runs.of("products")).answer or ""

    assert len(sales) == 100
    assert len(products) == 3
    for product in products:
        assert f"| {product} | {revenue[product]:,.2f} | {units[product]:.2f} |" in answer
    assert f"{total:,.2f}" in answer
    assert f"**{best} leads** with {revenue[best] / total:.1%}" in answer
    assert best == max(products, key=lambda each: units[each])


async def test_the_products_are_sent_back_once_and_leave_the_chart(runs: Runs) -> None:
    result = await runs.of("products")
    speakers = [message.source for message in result.messages]
    assert speakers[1:] == ["planner", "coder", "executor", "reviewer", "coder", "executor", "reviewer"]
    assert [file.path for file in result.files] == ["revenue_by_product.png"]
    assert (runs.folder / "products" / "files" / "revenue_by_product.png").read_bytes().startswith(PNG)


async def test_the_sorting_script_passes_its_own_checks_at_once(runs: Runs) -> None:
    result = await runs.of("sorting")
    (only,) = result.runs
    assert only.exit_code == 0
    assert "4 of 4 checks passed" in only.output


async def test_every_line_of_evidence_is_in_the_real_output(runs: Runs) -> None:
    result = await runs.of("sales")
    assert result.review
    assert all(line in result.runs[-1].output for line in result.review.evidence)
