"""Who acts in the admin: the signed-in person as an actor of the services."""

from django.http import HttpRequest

from config.kernel import clients
from config.kernel.actors import Actor


def actor(request: HttpRequest) -> Actor:
    """The signed-in person; the audit trail shows the full name, or else the user name."""
    user = request.user
    return Actor(
        kind="user",
        label=user.get_full_name() or user.get_username(),
        user_id=user.pk,
        address=clients.address(request),
        client=clients.agent(request),
    )
