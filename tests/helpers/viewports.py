"""The screens on which the pages are looked at, and what opens a page on one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

OpenPage = Callable[..., Page]
