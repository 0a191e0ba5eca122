"""Talks to CloudBase AI and to OpenAI-style servers over HTTP. Knows no notebook and no database.

Import each name from the module that defines it: this file does nothing.
"""
