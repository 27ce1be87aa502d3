"""What the OpenAPI document says beyond what the views tell of themselves: see `finish`."""
