"""One prompt asked in several ways, side by side: models, temperatures, system prompts, samples."""
