"""What was done in the inbox, counted: figures, plots and a table by agent, as a page, as JSON and as CSV."""
