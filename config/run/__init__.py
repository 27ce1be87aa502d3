"""`make run`: the embedded servers and the supervisor that keeps every process of the product alive.

environment, claims, keys: what this copy is and owns. embedded, database: the servers. children: the list of processes.
keeper, supervisor, printer: keeping them alive and telling about it. prepare: migrations and demo data.
"""
