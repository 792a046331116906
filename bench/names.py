"""The names of the two servers that goals are about."""

OURS = "MediFlow"
PLAIN = "FastAPI, model inside `async def`"
