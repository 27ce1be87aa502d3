"""REST of the inbox, a module a noun: parse, call one service or query, answer."""
