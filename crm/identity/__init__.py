"""From a token or a cookie to a person: verification, the user's row, the browser's session, the socket's identity."""
