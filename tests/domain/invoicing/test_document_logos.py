"""Logos are reduced to a harmless drawing."""

from decimal import Decimal

import pytest

from invoicing.domain import document_logos

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">{}</svg>'


def test_a_drawing_stays_as_it_is() -> None:
    drawing = '<g fill="#0f766e"><path d="M0 0L10 10" /><text x="1" y="2">A &amp; B</text></g>'
    assert document_logos.clean(SVG.format(drawing)) == (
        f'<svg viewBox="0 0 10 10" xmlns="http://www.w3.org/2000/svg">{drawing}</svg>'
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<script xlink:href='https://evil.example/x.js'/>",
        '<rect onload="alert(1)" width="1" height="1"/>',
        '<a href="javascript:alert(1)"><rect width="1" height="1"/></a>',
        '<image href="file:///etc/passwd" width="1" height="1"/>',
        '<image xlink:href="https://evil.example/pixel.png" width="1" height="1"/>',
        '<use href="https://evil.example/x.svg#a"/>',
        '<use xlink:href="file:///etc/passwd#a"/>',
        '<use href="data:image/svg+xml;base64,PHN2Zy8+#a"/>',
        "<style>@import url(https://evil.example/x.css);</style>",
        '<style>.a { fill: url("https://evil.example/x") }</style><rect class="a"/>',
        '<rect fill="url(https://evil.example/x#a)"/>',
        "<rect fill=\"url( 'file:///etc/passwd' )\"/>",
        '<rect style="fill: url(https://evil.example/x)"/>',
        '<rect style="background: url(https://evil.example/x)"/>',
        '<rect fill="u\\72l(https://evil.example/x)"/>',
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.example"/></foreignObject>',
        '<html:img xmlns:html="http://www.w3.org/1999/xhtml" src="https://evil.example/x"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onload" to="alert(1)"/>',
        "<title><![CDATA[</title><script>alert(1)</script>]]></title>",
        "<!-- --><?xml-stylesheet href='https://evil.example/x.css'?>",
    ],
)
def test_nothing_dangerous_is_left(attack: str) -> None:
    cleaned = document_logos.clean(SVG.format(attack + '<circle r="3"/>'))
    for trace in ("evil", "script", "alert", "passwd", "onload", "import", "iframe", "data:", "foreign", "href"):
        assert trace not in cleaned
    assert '<circle r="3" />' in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "not a drawing",
        "<html><body/></html>",
        "<svg",
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg viewBox="0 0 1 1">&x;</svg>',
        '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;">]><svg viewBox="0 0 1 1">&l2;</svg>',
        '<svg width="100%" height="100%"><rect/></svg>',
        SVG.format("<path d='" + "M0 0" * 100_000 + "'/>"),
        SVG.format("\x00"),
    ],
)
def test_what_is_no_drawing_gives_no_logo(text: str) -> None:
    assert document_logos.clean(text) == ""


def test_text_that_looks_like_a_tag_stays_text() -> None:
    cleaned = document_logos.clean(SVG.format("<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>"))
    assert "<script" not in cleaned
    assert "&lt;script&gt;" in cleaned


def test_references_inside_the_drawing_work() -> None:
    cleaned = document_logos.clean(
        SVG.format('<defs><path id="p" d="M0 0"/></defs><use xlink:href="#p" fill="url(#g)"/>')
    )
    assert 'href="#p"' in cleaned
    assert 'fill="url(#g)"' in cleaned


def test_colours_of_style_sheets_become_attributes() -> None:
    """Drawing programs export classes; without their colours a logo would be black."""
    cleaned = document_logos.clean(
        SVG.format(
            "<style>.a, .b { fill: #f00; } .b{stroke:#00f}</style>"
            '<rect class="a"/><rect class="b x"/><rect style="fill:#0f0"/>'
        )
    )
    assert '<rect fill="#f00" />' in cleaned
    assert '<rect fill="#f00" stroke="#00f" />' in cleaned
    assert '<rect fill="#0f0" />' in cleaned


def test_a_size_becomes_a_view_box() -> None:
    cleaned = document_logos.clean('<svg width="120px" height="40"><rect/></svg>')
    assert 'viewBox="0 0 120 40"' in cleaned
    assert "width" not in cleaned


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("0 0 120 40", ("45.0", "15.0")),  # as high as the box
        ("0 0 1000 10", ("58.0", "0.6")),  # as wide as the box
        ("-5,-5, 100,100", ("15.0", "15.0")),
        ("0 0 0 10", ("58", "15")),
    ],
)
def test_a_logo_fills_its_box(box: str, expected: tuple[str, str]) -> None:
    svg = f'<svg viewBox="{box}"/>'
    fitted = document_logos.fitted(svg, width=Decimal(58), height=Decimal(15))
    assert fitted == (Decimal(expected[0]), Decimal(expected[1]))
