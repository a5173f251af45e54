"""Says whether this machine can write PDFs: `python -m config.pdf_check`. Prints the reason if not; exit code 0 or 1.

A program of its own, because importing WeasyPrint loads the system's libraries and fails where they are missing.
"""

import subprocess
import sys

PROBE = """
import weasyprint
page = "<meta charset='utf-8'><p>Quittance: 1.234,56 € · Grüße, façade, København, São Paulo</p>"
pdf = weasyprint.HTML(string=page).write_pdf(uncompressed_pdf=True)
assert b"/FontFile" in pdf, "no font is installed"
"""


def problem() -> str:
    """Return in one line what keeps this machine from writing PDFs, or nothing if it can. Takes about a second."""
    result = subprocess.run([sys.executable, "-c", PROBE], check=False, capture_output=True, text=True)
    if result.returncode == 0:
        return ""
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith(" ")]
    return lines[-1] if lines else f"the check ended with exit code {result.returncode}"


if __name__ == "__main__":
    sys.exit(problem() or 0)
