"""HTML that is escaped by construction: text becomes markup only by passing through `element`.

A plain string is text and is escaped; only `Markup`, which the functions here return, is passed on as it is. So a
file called ``<script>…`` cannot do harm, wherever on the page its name is shown.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """A piece of finished HTML."""

    __slots__ = ()


Child = Markup | str | None
Attribute = str | int | float | bool | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """One HTML element.

    Args:
        tag: Its name.
        children: Markup as it is, text to be escaped; None adds nothing.
        attributes: ``class_`` is class, ``data_name`` is data-name. True is an attribute without a value; None and
            False leave it out.
    """
    start = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}"
    if tag in _VOID:
        return Markup(f"{start}>")
    return Markup(f"{start}>{join(children)}</{tag}>")


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Pieces one after the other, with escaped text `between` them; None adds nothing."""
    pieces = [child if isinstance(child, Markup) else html.escape(child) for child in children if child is not None]
    return Markup(html.escape(between).join(pieces))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    return f' {spelled}="{html.escape(str(value))}"'
