"""`manage.py dbshell` for the embedded server: the wheel's own psql."""

from typing import Any

from django.db.backends.postgresql import client

from config import environment
from config.localdb import programs, server


class DatabaseClient(client.DatabaseClient):
    """Runs the wheel's psql on the embedded server's socket."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        where = server.address(environment.data_dir())
        settings = {**settings_dict, "HOST": where["host"], "USER": where["user"], "PORT": where["port"]}
        arguments, variables = super().settings_to_cmd_args_env(settings, parameters)
        return [str(programs.packaged() / "bin" / "psql"), *list(arguments)[1:]], variables
