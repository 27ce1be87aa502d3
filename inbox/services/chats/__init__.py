"""What customers, students and visitors do with a conversation that they take part in.

visitors: who a browser is. starting, writing, reading, ending: what they do. keepers: whose word counts in rooms that
another app has opened. mailing: what goes to them by e-mail.
"""
