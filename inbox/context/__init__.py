"""Who is calling, and all there is to know for answering: by telephone number, in one statement."""
