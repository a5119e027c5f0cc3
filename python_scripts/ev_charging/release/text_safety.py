"""Texts that a spreadsheet doesn't take for a formula.

The first characters are those of OWASP's page on CSV injection, with their full-width twins.
"""

_SIGNS = tuple("=+-@＝＋－＠")
_CONTROLS = tuple("\t\r\n")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may read the text as a formula, also behind blanks."""
    return text.startswith(_CONTROLS) or text.lstrip().startswith(_SIGNS)


def safe_text(text: str) -> str:
    """Return the text, with an apostrophe in front where it could be read as a formula."""
    return f"'{text}" if is_formula(text) else text


def original_text(text: str) -> str:
    """Return the text that `safe_text` made safe."""
    return text[1:] if text.startswith("'") and is_formula(text[1:]) else text
