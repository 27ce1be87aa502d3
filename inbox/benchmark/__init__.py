"""by-phone and context beside the old way, four queries one after the other, on the data that is there."""
