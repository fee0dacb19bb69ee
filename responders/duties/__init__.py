"""Reports that the law or the guideline asks for: when they are due, their drafts, who was told. Nothing is sent by itself."""
