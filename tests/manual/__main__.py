"""Write the pages of the manual that are made from the code: ``python -m tests.manual``."""

from tests.manual import help_pages

for page in help_pages.write():
    print(page)
