"""``/simulations``: what contracts would come to, on their own plan and on another one. Writes nothing."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import simulation_forms
from billing.api.simulation_forms import SimulationAnswer, SimulationRequest
from billing.services import simulation_exports, simulation_reports, simulations
from config.kernel import errors
from config.platform.api import schema, views

ROOT = "simulation"


class Simulations(views.ApiView):
    """Contracts played over some months."""

    resource = "simulation"
    reads = ("post",)

    @extend_schema(request=schema.body(ROOT, SimulationRequest), responses=schema.answer(ROOT, SimulationAnswer))
    def post(self, request: Request) -> Response:
        """Play contracts and compare plans. Changes nothing.

        What takes too long and keys that are not known are refused with 422.
        """
        at = self.at()
        content = self.body(request, ROOT, SimulationRequest)
        if unknown := [str(key) for key in request.data if key != ROOT]:
            details = {key: ["unknown_key"] for key in unknown}
            raise errors.Invalid("validation_errors", f"All is said under {ROOT}.", details)
        wanted = simulation_forms.wanted(content, at=at)
        simulations.demand_quick(wanted=wanted)
        report = simulation_reports.make(wanted=wanted, today=at.date())
        return Response({ROOT: simulation_exports.as_json(report)})
