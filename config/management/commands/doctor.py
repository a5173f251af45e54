"""`manage.py doctor`: is everything there that the installation needs, and what is to be done where not."""

from typing import Any

from django.core.management import base
from django.utils import timezone

from config import diagnosis, diagnosis_findings


class Command(base.BaseCommand):
    help = "Check the installation, from its database to its companies and programs, and say what to do."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = diagnosis.examine(at=timezone.now())
        for finding in findings:
            mark = self.style.SUCCESS("✔") if finding.ok else self.style.ERROR("✘")
            if finding.ok and finding.advice:
                mark = self.style.WARNING("!")
            self.stdout.write(f"{mark} {finding.name:<11} {finding.text}")
            if finding.advice:
                self.stdout.write(f"  → {finding.advice}")
        if not diagnosis_findings.healthy(findings):
            raise base.CommandError("Something needs attention.")
