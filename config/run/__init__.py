"""`make run`: the embedded servers and the supervisor that keeps every process of the product alive."""
