"""The notes of a wallet, all and one by one, by its id or by its customer and code."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api import wallet_requests
from invoicing.api.wallets import WalletView
from invoicing.models import Wallet
from invoicing.services import wallet_notes


class WalletNotes(serializers.Serializer):  # type: ignore[type-arg]
    """The notes of a wallet."""

    metadata = serializers.DictField(child=serializers.CharField(), allow_null=True)


class NotesView(WalletView):
    """The base of both views of notes."""

    def sent(self, request: Request) -> dict[str, str]:
        """Return the notes of the body. Raises Invalid."""
        return dict(self.checked(request.data, wallet_requests.WalletMetadataRequest)["metadata"])

    def told(self, wallet: Wallet) -> Response:
        """Answer with the notes."""
        return Response({"metadata": wallet.metadata or None})


class Metadata(NotesView):
    """All notes of a wallet."""

    @extend_schema(
        operation_id="replaceWalletMetadata",
        request=wallet_requests.WalletMetadataRequest,
        responses={200: WalletNotes},
    )
    def post(self, request: Request, lago_id: str = "", external_id: str = "", code: str = "") -> Response:
        """Make these the notes, in place of all that there were."""
        wallet = self.wallet(lago_id=lago_id, external_id=external_id, code=code)
        notes, actor, at = self.sent(request), self.actor(request), self.at()
        return self.told(wallet_notes.replace(wallet_id=wallet.pk, notes=notes, actor=actor, at=at))

    @extend_schema(
        operation_id="mergeWalletMetadata",
        request=wallet_requests.WalletMetadataRequest,
        responses={200: WalletNotes},
    )
    def patch(self, request: Request, lago_id: str = "", external_id: str = "", code: str = "") -> Response:
        """Set these notes, and leave the others."""
        wallet = self.wallet(lago_id=lago_id, external_id=external_id, code=code)
        notes, actor, at = self.sent(request), self.actor(request), self.at()
        return self.told(wallet_notes.merge(wallet_id=wallet.pk, notes=notes, actor=actor, at=at))

    @extend_schema(operation_id="deleteAllWalletMetadata", responses={200: WalletNotes})
    def delete(self, request: Request, lago_id: str = "", external_id: str = "", code: str = "") -> Response:
        """Remove all notes."""
        wallet = self.wallet(lago_id=lago_id, external_id=external_id, code=code)
        actor, at = self.actor(request), self.at()
        return self.told(wallet_notes.replace(wallet_id=wallet.pk, notes={}, actor=actor, at=at))


@extend_schema_view(
    post=extend_schema(operation_id="replaceCustomerWalletMetadata"),
    patch=extend_schema(operation_id="mergeCustomerWalletMetadata"),
    delete=extend_schema(operation_id="deleteAllCustomerWalletMetadata"),
)
class CustomersMetadata(Metadata):
    """All notes of a wallet, by its customer and code."""


class OneNote(NotesView):
    """One note of a wallet."""

    @extend_schema(operation_id="deleteWalletMetadataKey", responses={200: WalletNotes})
    def delete(self, request: Request, key: str, lago_id: str = "", external_id: str = "", code: str = "") -> Response:
        """Remove one note. 404 where there is none of this key."""
        wallet = self.wallet(lago_id=lago_id, external_id=external_id, code=code)
        actor, at = self.actor(request), self.at()
        return self.told(wallet_notes.remove(wallet_id=wallet.pk, key=key, actor=actor, at=at))


@extend_schema_view(delete=extend_schema(operation_id="deleteCustomerWalletMetadataKey"))
class CustomersOneNote(OneNote):
    """One note of a wallet, by its customer and code."""
