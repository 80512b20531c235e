"""Programs for AutoGen 0.2, rewritten to the interface of 0.4 where that is certain.

A program is read into agents, chats and tools (`_program.py`). Each of them is rewritten, or is a reason why not. With
a single reason the whole file keeps the interface of 0.2, since agents that talk to each other need one interface.
"""
