"""Run the local system from the `Procfile`. Containers are `docker-compose.yml`, not this."""
