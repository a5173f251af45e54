"""Logos: SVG text that an administrator pasted, made harmless before it is put into a document or a page.

Owns what of SVG a logo may consist of. Everything that is not on the lists below is left out: scripts, event handlers,
references to anything outside the drawing, embedded pictures and documents, animation. A text that is no drawing gives
an empty logo, and the document shows the seller's name instead.
"""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from xml.etree import ElementTree

from config.kernel import money

Classes = dict[str, dict[str, str]]

MAX_CHARACTERS = 200_000

_SVG = "http://www.w3.org/2000/svg"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_ELEMENTS = frozenset(
    "svg g defs symbol use path rect circle ellipse line polyline polygon text tspan linearGradient radialGradient "
    "stop clipPath mask".split()
)
_ATTRIBUTES = frozenset(
    "id x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy width height d points transform viewBox preserveAspectRatio offset "
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity color clip-path clip-rule mask maskUnits maskContentUnits "
    "clipPathUnits gradientUnits gradientTransform spreadMethod stop-color stop-opacity font-family font-size "
    "font-weight font-style text-anchor letter-spacing".split()
)
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_OWN_REFERENCE = re.compile(r"#[\w.-]+")
_URL = re.compile(r"url\s*\(", re.IGNORECASE)
_OWN_URL = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)")
_VIEW_BOX = re.compile(r'viewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*"')
_CLASS_RULE = re.compile(r"((?:\.[\w-]+\s*,?\s*)+)\{([^{}]*)\}")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(?:px)?")
_STYLED = frozenset(
    "fill stroke stop-color fill-opacity stroke-opacity stop-opacity opacity stroke-width fill-rule".split()
)


def clean(svg: str) -> str:
    """Return the drawing reduced to shapes, text and colours; empty text where there is no drawing or it is too large.

    The root gets a view box from its size where it has none, so that a style sheet can scale it.
    """
    text = svg.strip()
    if not text or len(text) > MAX_CHARACTERS or _DECLARATION.search(text):
        return ""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return ""
    if _name(root) != "svg":
        return ""
    drawing = _copy(root, _classes(root))
    if "viewBox" not in drawing.attrib:
        width, height = (_LENGTH.fullmatch(drawing.get(side, "")) for side in ("width", "height"))
        if width is None or height is None:
            return ""
        drawing.set("viewBox", f"0 0 {width[1]} {height[1]}")
    for side in ("x", "y", "width", "height"):
        drawing.attrib.pop(side, None)
    drawing.set("xmlns", _SVG)
    return ElementTree.tostring(drawing, encoding="unicode")


def fitted(svg: str, *, width: Decimal, height: Decimal) -> tuple[Decimal, Decimal]:
    """Return the size at which a cleaned drawing fills a box, in the box's unit, to a tenth."""
    found = _VIEW_BOX.search(svg)
    wide, high = (Decimal(found[1]), Decimal(found[2])) if found else (Decimal(0), Decimal(0))
    if not wide or not high:
        return width, height
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        scale = min(width / wide, height / high)
        return money.round_half_up(wide * scale, 1), money.round_half_up(high * scale, 1)


def _copy(element: ElementTree.Element, classes: Classes) -> ElementTree.Element:
    attributes = {name: value for name, value in element.attrib.items() if _allowed(name, value)}
    for name in element.get("class", "").split():
        attributes |= classes.get(name, {})
    attributes |= _styles(element.get("style", ""))
    reference = element.get("href") or element.get(_XLINK_HREF)
    if reference and _OWN_REFERENCE.fullmatch(reference.strip()):
        attributes["href"] = reference.strip()
    copied = ElementTree.Element(_name(element), attributes)
    copied.text, copied.tail = element.text, element.tail
    copied.extend(_copy(child, classes) for child in element if _name(child) in _ELEMENTS)
    return copied


def _classes(root: ElementTree.Element) -> Classes:
    # Drawing programs write colours into a style sheet of classes. As attributes they need no style sheet.
    found: Classes = {}
    for element in root.iter():
        if _name(element) == "style":
            for selectors, declarations in _CLASS_RULE.findall(element.text or ""):
                for name in re.findall(r"\.([\w-]+)", selectors):
                    found[name] = found.get(name, {}) | _styles(declarations)
    return found


def _name(element: ElementTree.Element) -> str:
    # Comments and processing instructions have a function for a tag; elements of other namespaces are not of SVG.
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    namespace, _, name = tag.rpartition("}")
    return name if namespace in {"", "{" + _SVG} else ""


def _allowed(name: str, value: str) -> bool:
    return name in _ATTRIBUTES and _harmless(value)


def _harmless(value: str) -> bool:
    rest = _OWN_URL.sub("", value)
    return not _URL.search(rest) and "\\" not in value and "<" not in value


def _styles(style: str) -> dict[str, str]:
    found = {}
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in _STYLED and value and _harmless(value):
            found[name] = value
    return found
