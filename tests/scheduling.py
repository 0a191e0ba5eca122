"""Which tests of a parallel run stay together on one worker.

pytest-xdist's own ``--dist loadgroup`` would do, but with pytest 9.2 it silently stops grouping
(pytest-xdist issue 1386), so the groups are told from the tests' ids.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

# One server and one browser for each application; the model's tests one after the other, for each
# keeps both cores busy.
_GROUPS = (
    (re.compile(r"^tests/browser/.*\[(?:.*-)?notebook7\b"), "browser-notebook7"),
    (re.compile(r"^tests/browser/"), "browser-lab"),
    (
        re.compile(r"^tests/(?:local/|kernel/test_local_model|test_notebooks|test_cli)"),
        "local-model",
    ),
)


def group_of(nodeid: str) -> str:
    """Return the group of a test; a test that is in none is a group of its own."""
    return next((group for pattern, group in _GROUPS if pattern.search(nodeid)), nodeid)


class GroupScheduling(LoadScopeScheduling):
    """Gives a whole group to one worker, and whatever stands alone to the next that is free."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
