"""The prompts of the orchestrator of a Magentic-One team, for its model and for its team.

The beginning stays the same from call to call, so that a vendor's cache finds it: the roles, the task, the fact sheet
and the plan come first, then the conversation, and the question last.
"""

from __future__ import annotations

from typing import Final

ROLE: Final = """\
You lead a team that works on a task for a user. You do none of the work yourself: you plan it, you say who does what \
next, you judge what comes back, and in the end you write the answer.

The members of the team:
{team}

Every member reads the plan, your instructions, and what the other members answer. Nothing else of what you write \
reaches them.\
"""

EARLIER: Final = """\
The task before this one was:

{task}

It ended with:

{answer}

"""

FACTS: Final = """\
{earlier}The task:

{task}

Write the fact sheet of this task, in this form:

Known
- a line for each thing that the task states, with its names, numbers and units as they are given

Open
- a line for each question that stands between here and the answer, with the way to settle it: search, run code, \
reason, or ask

Done when
- a line for each thing that a complete answer has to contain or to fulfil

Under Known stands nothing that you only suppose. Do not plan yet, and do not answer the task.\
"""

PLAN: Final = """\
Write the plan now: a numbered list with as few steps as will do. Each step names the member that takes it and the \
result that it has to bring. What could change the rest of the plan comes first. A member without a step is left out. \
Write the list alone.\
"""

PROGRESS: Final = """\
Judge how the work stands, and answer with one JSON object. It has these five entries, and each of them is an object \
with a "reason", which is one sentence, and an "answer":

- "is_request_satisfied": true if everything under "Done when" is there and checked, so that you can write the answer; \
otherwise false
- "is_in_loop": true if the same is asked or tried again and brings nothing new
- "is_progress_being_made": true if the last answers have settled something or brought a result; false if they failed, \
or left everything as it was
- "next_speaker": the member that acts next, one of {names}
- "instruction_or_question": what you tell that member: one instruction, with all that is needed to follow it

Write the object alone.\
"""

OBJECTION: Final = "{faults} Give the whole object again, corrected, and nothing else."

NEW_FACTS: Final = """\
The work has stalled: {reason}

Write the fact sheet again, in the same form, as it is now. What the members have found out moves under Known, with \
the name of the member; what has turned out to be wrong goes. Each open question says what was tried for it, and why \
that did not settle it. Do not plan yet.\
"""

NEW_PLAN: Final = """\
Write a new plan in the form of the first one. It does not repeat what has failed: it takes another way, another \
member, or smaller steps, and where something was not checked before it was used, it checks it. Write the list alone.\
"""

REVISED_PLAN: Final = """\
The person who reviews your plan does not approve it yet, and says:

{words}

Write the plan again accordingly. Write the list alone.\
"""

REVIEW: Final = """\
The plan for the task:

{plan}

Fact sheet:

{facts}

May this plan be carried out?
"""

BRIEFING: Final = """\
The task of the user:

{task}

The team:

{team}

The fact sheet:

{facts}

The plan:

{plan}\
"""

CONTINUE: Final = "Take the next step of the plan that is open, and say what came out."

OUT_OF_TURNS: Final = "The team has no more turns. Say in the answer what is missing or was not checked.\n\n"

FINAL_ANSWER: Final = """\
The work ends here. The task was:

{task}

Write the answer for the user, who has read none of the conversation above. Answer what was asked first, and then what \
the user needs to trust it. Take facts and figures from the conversation only, and say plainly what could not be found \
out.\
"""
