"""A conversation as its customer, student or visitor sees it: without notes, drafts, or who works on it how."""
