"""Other systems hear what happens here: who subscribes, what is signed and called, what they can fetch instead."""
