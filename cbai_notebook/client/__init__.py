"""The client: requests to CloudBase AI and to OpenAI-style servers over HTTP, without notebook or database.

Import each name from the module that defines it: this file does nothing.
"""
