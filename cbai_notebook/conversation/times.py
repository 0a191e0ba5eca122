"""Times in another time zone. At the ends of the calendar Python has no such time and raises an error."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo


def in_zone(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return a time in a zone.

    A time that does not exist there, as on the first and the last day of the calendar, keeps its
    figures. It is at most a day off, and a list with such a time can still be shown.

    Args:
        moment: The time; one without a zone is in this machine's zone.
        zone: The zone; this machine's by default.
    """
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=zone or timezone.utc)
