"""The table of attacks in the guide, made from the attacks and from the gaps that the tests hold.

``python tests/ext/code_executors/test_attack_table.py`` writes it.
"""

from pathlib import Path

from symposia.ext.code_executors.attacks import ATTACKS, GAPS, attack_table

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "sandboxes.md"
BEGIN, END = "<!-- attacks -->\n", "<!-- end of attacks -->\n"


def page_with_table() -> str:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{attack_table(ATTACKS)}{END}{rest.partition(END)[2]}"


def test_the_table_of_the_guide_is_that_of_the_attacks() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_table()


def test_each_gap_is_one_of_an_attack() -> None:
    assert {name for name, _kind in GAPS} <= {attack.name for attack in ATTACKS}
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), encoding="utf-8")
