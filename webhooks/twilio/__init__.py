"""SMS and WhatsApp through Twilio: is a request genuine, what does it say, what is done about it."""
