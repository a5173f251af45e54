"""The sample company: real requests of a web server, sold as an API-hosting product by three invented sellers."""
