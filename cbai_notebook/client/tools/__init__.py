"""Python functions as tools that a model can call.

``tool`` wraps a function, ``schema`` describes its parameters, ``execute`` runs one call,
``threads`` runs a blocking function, ``result`` turns its value into text, ``loop`` runs the steps
of an answer, ``multi_step`` joins the streams of the steps, ``tool_calls`` holds the values.
"""
