"""Home."""
from core.ui.shell import open_page
open_page("Home", None, needs_project=False)
