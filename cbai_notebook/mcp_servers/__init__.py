"""Tools of servers that speak the Model Context Protocol (https://modelcontextprotocol.io).

``server`` is what a user has in hand, ``target`` says what to start or to reach, ``connection`` owns
the process and the session, ``schemas`` makes names and schemas fit for models, ``results`` turns a
server's results into ours, ``confirmed`` remembers what the user has seen, and ``files`` reads the
servers that are configured in files.
"""
