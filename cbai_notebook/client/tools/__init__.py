"""Python functions as tools: described to the model, called when it asks, answered to it.

``tool`` is what a function becomes, ``schema`` how it is described, ``calling`` one call of it,
``loop`` the steps from the first request to the last answer.
"""
