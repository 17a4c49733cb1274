"""The use cases behind the figure pages and ``tiebreak stats``."""

from __future__ import annotations

from core.services.home import HomeProject, HomeView, home

__all__ = ["HomeProject", "HomeView", "home"]
