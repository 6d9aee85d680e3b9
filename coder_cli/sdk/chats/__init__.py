"""Chats on the wire (reference, chats, sections 1.2 to 1.14 and 2): one file for each subject.

Nothing is imported here: a command loads the shapes it touches, and no others.
"""
