"""The Django database backend of the embedded server: PostgreSQL's own, plus starting the server when it is down."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError

from config import environment
from config.localdb import client, server


class DatabaseWrapper(base.DatabaseWrapper):
    """A PostgreSQL connection to the embedded server.

    A connection that fails costs one look at the server, which starts it if it is down, and one more try. What then
    fails is a real error and is raised as always. A connection that succeeds costs nothing extra.
    """

    client_class = client.DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), **server.address(environment.data_dir())}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            server.ensure_running(environment.data_dir())
            return super().get_new_connection(conn_params)
