"""The outside world knocking: signatures, the delivery journal, what a delivery becomes."""
