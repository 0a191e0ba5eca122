"""One prompt for many rows: rows, their prompts and answers, and the frame of the results. No IPython."""
