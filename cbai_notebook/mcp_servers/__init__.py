"""Tools of servers that speak the Model Context Protocol (https://modelcontextprotocol.io).

``server`` is what a user has in hand, ``target`` says what to start or to reach, ``connection`` owns
the process and the session, ``listing`` turns a server's tools into ours, ``results`` turns its
results into ours, ``confirmed`` remembers what the user has seen, and ``files`` reads the servers that
are configured in files.
"""
