"""The texts by areas: ``AREA.NAME`` is ``WORDS["NAME"]`` of the module ``AREA``."""
