"""Keep groups of tests on one worker of a parallel run.

``--dist loadgroup`` of pytest-xdist is not used: with pytest 9.2 it silently stops grouping
(pytest-xdist issue 1386). The groups are found by the ids of the tests instead.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

LARGEST_GROUP = "browser-lab"

# Each application has one server and one browser. Tests of the offline model run one after the other,
# because each test keeps both cores busy. The site of the manual is built once.
_GROUPS = (
    (re.compile(r"^tests/manual/test_site"), "site"),
    (re.compile(r"^tests/browser/.*\[(?:.*-)?notebook7\b"), "browser-notebook7"),
    (re.compile(r"^tests/browser/"), LARGEST_GROUP),
    (
        re.compile(
            r"^tests/(?:local/|kernel/test_local_model|test_notebooks|test_cli|test_packages)"
        ),
        "local-model",
    ),
)


def group_of(nodeid: str) -> str:
    """Return the group of a test; for a test without a group, its own id."""
    return next((group for pattern, group in _GROUPS if pattern.search(nodeid)), nodeid)


class GroupScheduling(LoadScopeScheduling):
    """Gives each group to one worker, and each test without a group to the next free worker."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
