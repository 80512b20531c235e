"""Skills: folders of instructions that a model reads when it needs them, in the open Agent Skills format."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.skills._skill import Skill, read_skill, read_skills
    from symposia.agentchat.skills._workbench import SkillWorkbench
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_skill": ["Skill", "read_skill", "read_skills"],
            "_workbench": ["SkillWorkbench"],
        },
    )

__all__ = ["Skill", "SkillWorkbench", "read_skill", "read_skills"]
