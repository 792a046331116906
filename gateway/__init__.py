"""The one public door: admission, uploads, routing to the services, audit. Decodes nothing."""
