"""HTTP client for CloudBase AI and OpenAI-style servers, independent of notebook and database.

Import each name from the module that defines it: this file does nothing.
"""
