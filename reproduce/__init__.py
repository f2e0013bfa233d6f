"""Scripts that train what the package embeds; each weight file's card names its script."""
