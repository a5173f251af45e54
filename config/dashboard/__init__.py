"""The overview: the first page of the admin. Composes what the apps' queries give into figures and charts."""
