"""The facts that the customers app tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CustomerDeleted:
    """A customer was retired at that instant: what still runs for it has to end."""

    customer_id: int
    at: datetime
