"""The reference has every public name once. That its pages can be built is for `scripts/docs` to show."""

import importlib

import pytest
from scripts._reference import index_text, names_by_module, page_text, public_modules, summary

pytestmark = pytest.mark.usefixtures("without_the_import_hook")


@pytest.fixture
def pages(without_the_import_hook: None) -> dict[str, list[str]]:
    return names_by_module()


def test_every_public_name_is_on_a_page(pages: dict[str, list[str]]) -> None:
    exported = {name for module in public_modules() for name in importlib.import_module(module).__all__}
    assert {name for names in pages.values() for name in names} == exported


def test_an_object_with_one_name_is_on_one_page(pages: dict[str, list[str]]) -> None:
    objects = [(name, id(getattr(importlib.import_module(m), name))) for m, names in pages.items() for name in names]
    assert len(objects) == len(set(objects))


def test_a_name_is_on_the_page_of_the_module_around_its_definition(pages: dict[str, list[str]]) -> None:
    assert "FunctionTool" in pages["symposia.core.tools"]
    assert "FunctionTool" not in pages.get("symposia.agentchat.tools", [])
    assert "AssistantAgent" in pages["symposia.agentchat.agents"]


def test_a_page_lists_its_names_for_mkdocstrings() -> None:
    assert page_text("symposia.core", ["AgentId", "TopicId"]) == (
        "# `symposia.core`\n\n::: symposia.core\n    options:\n      members:\n        - AgentId\n        - TopicId\n"
    )


def test_a_class_of_another_package_is_named_without_its_docstring() -> None:
    text = page_text("symposia.ext.tools.azure", ["AzureAISearchTool", "VectorizableTextQuery"])
    assert "`VectorizableTextQuery` is a class of the package that the extra installs." in text
    assert "- AzureAISearchTool\n" in text
    assert "- VectorizableTextQuery" not in text


def test_the_index_leads_to_every_page(pages: dict[str, list[str]]) -> None:
    index = index_text(pages)
    assert all(f"[`{module}`]({module.removeprefix('symposia.')}.md)" in index for module in pages)


def test_every_page_has_a_summary_in_the_index(pages: dict[str, list[str]]) -> None:
    assert [module for module in pages if not summary(module)] == []
