"""The jobs outbox: queue, lanes, leases, the one door for outgoing HTTP. Knows no domain."""
