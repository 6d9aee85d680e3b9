"""The API's calls, one mixin per noun; ``sdk.client.Client`` joins them.

Each call imports its shapes after the request left: importing them first would only delay it.
"""
