"""WhatsApp through Kapso, or Meta directly: is a delivery genuine, what does it say, what is done about it."""
